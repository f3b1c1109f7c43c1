"""Plays the line: the storm comes in, levels rise, and, where asked, the officers sign and release."""

from __future__ import annotations

from pathlib import Path

from geowarn.bootstrap import System, active_rules
from geowarn.demo.setting import ACTOR, demo_facts
from geowarn.demo.storm import storm_definition, write_antecedent_csv, write_storm_grib
from geowarn.domain.area import AreaKind
from geowarn.domain.assessment import AssessmentRun
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.people import Role
from geowarn.domain.warning import Proposal
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.assess import assess_all
from geowarn.pipeline.demo_factor import published_code
from geowarn.pipeline.fitness import unchecked
from geowarn.pipeline.ingest import ingest
from geowarn.pipeline.propose import propose_from_run
from geowarn.pipeline.release import release
from geowarn.pipeline.secrecy import check_secrecy
from geowarn.pipeline.signoff import sign


def storm_comes(system: System) -> AssessmentRun:
    """Write the storm as real files beginning with the present hour, ingest them and assess 24 hours."""
    start = system.clock.now().replace(minute=0, second=0, microsecond=0)
    folder = system.data_dir / "demo"
    folder.mkdir(exist_ok=True)
    grib, antecedent = folder / "storm.grib2", folder / "antecedent.csv"
    with system.store.read() as work:
        codes = [area.code for area in work.areas.all() if area.kind is AreaKind.COUNTY]
    write_storm_grib(grib, start)
    write_antecedent_csv(antecedent, start, codes)
    _take_in(system, "csv", antecedent)
    forecast_id = _take_in(system, "grib", grib, source=storm_definition()["label_en"])
    run, *_ = assess_all(
        system.store,
        system.clock,
        system.readers,
        system.models,
        system.raw_dir,
        system.cache_dir,
        forecast_id,
        rules=active_rules(system),
        model=system.settings.hazard.model,
        also=system.alternates(),
        window_hours=24,
        at=start,
        area_codes=None,
        stale_reason=None,
        synthetic_installation=True,
        actor_text=ACTOR,
    )
    return run


def _take_in(system: System, reader: str, file: Path, source: str | None = None) -> str:
    (forecast,) = ingest(
        system.store,
        system.clock,
        system.readers,
        system.raw_dir,
        reader,
        [file],
        source=source,
        synthetic_installation=True,
        actor_text=ACTOR,
    )
    return forecast.id


def proposal_rises(system: System, run: AssessmentRun) -> Proposal | None:
    """What the storm calls for, under review; None when it is in force already.

    The scheduler may have been quicker: then its proposal is the one.
    """
    proposal = propose_from_run(system.desk, run.id)
    if proposal is not None:
        return proposal
    with system.store.read() as work:
        return next(iter(work.proposals.open()), None)


def code_of(system: System, name: str) -> str:
    """The code that a demo person's generator shows and that has not been used yet."""
    with system.store.read() as work:
        return published_code(work, system.vault, name, system.clock.now())


def officers_sign(system: System, warning_id: str) -> list[tuple[str, Role]]:
    """Every demo person whose role is needed signs, after the secrecy check; returns who signed as what."""
    with system.store.read() as work:
        proposal = work.proposals.of_warning(warning_id)[0]
        people = {person["role"]: find_user(work, person["name"]) for person in reversed(demo_facts()["people"])}
        waits = unchecked(system.desk, work, proposal)
    if waits:
        checker = Actor(people[Role.DISCLOSURE.value], "command line", "demo")
        check_secrecy(system.desk, warning_id, checker, proposal.package_sha256)
    signed = []
    for role in system.policy.required(proposal.content):
        actor = Actor(people[role.value], "command line", "demo")
        signoff = sign(system.desk, warning_id, actor, proposal.package_sha256, code_of(system, actor.user.name))
        signed.append((actor.user.display("zh") + " / " + actor.user.display("en"), signoff.role))
    return signed


def officer_releases(system: System, warning_id: str) -> Bulletin:
    """The officer on duty releases."""
    with system.store.read() as work:
        officer = find_user(work, "duty")
    return release(system.desk, warning_id, Actor(officer, "command line", "demo"))
