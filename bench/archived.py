"""A store whose archive is long: courses of events that ended, every row as the use cases write it.

Of each storm one course goes through the use cases with a clock that runs ahead: proposed, signed, released, updated,
and lifted or, in every third storm, extended until its time runs out. Its neighbours of the same hours are copied from
it through the repositories: a warning, versions, packages, signatures, frozen and signed bulletins, dispatches and
ledger entries of their own, references to their own predecessors, and numbers taken as a release takes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from geowarn.bootstrap import System
from geowarn.demo.play import code_of, officer_releases, officers_sign
from geowarn.demo.setting import open_demo, put_on_duty
from geowarn.domain.area import AreaKind
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import DispatchState
from geowarn.domain.ledger import LedgerEntry
from geowarn.domain.level import Level
from geowarn.domain.package import Package
from geowarn.domain.warning import HazardWarning, Proposal, ProposalStatus, Series, WarningStatus, content_from_json
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.change import extend, lift, update
from geowarn.pipeline.deliver import expire
from geowarn.pipeline.frozen import freeze
from geowarn.pipeline.numbering import late_values, take_number
from geowarn.pipeline.propose import new_id, propose_by_hand
from geowarn.pipeline.watch import end_validity
from geowarn.ports import UnitOfWork

ACTS = 3  # bulletins of one course: issued, updated, and lifted or extended
STORM = 120  # courses of one storm
APART = 12  # days between storms, which is as far as a demo's roster reaches
Tell = Callable[[int, int], None]


@dataclass
class Ahead:
    """A clock that is moved by hand, from the moment on at which the installation was made: keys are no older."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


def demo_ahead(folder: Path, port: int) -> tuple[System, Ahead]:
    """A demo installation with a clock that the seeding moves."""
    system = open_demo(folder, port)
    clock = Ahead(system.clock.now())
    return replace(system, clock=clock), clock


@dataclass
class Course:
    """A copied course: what it is called where the one it was copied from is called otherwise."""

    warning: str = field(default_factory=lambda: new_id("w"))
    names: dict[str, str] = field(default_factory=dict)


def fill(system: System, clock: Ahead, bulletins: int, tell: Tell = lambda _done, _of: None) -> None:
    """Let so many bulletins have been released and ended, storm after storm; the clock stands twelve days later."""
    left, storm = bulletins, 0
    while left > 0:
        courses = min(STORM, -(-left // ACTS))
        _storm(system, clock, storm, [Course() for _ in range(courses - 1)])
        left, storm = left - courses * ACTS, storm + 1
        clock.moment += timedelta(days=APART)
        expire(system.store, clock)
        end_validity(system.desk)
        tell(bulletins - max(left, 0), bulletins)


def prepared(system: System, clock: Ahead) -> str:
    """A warning that is signed and waits for its release; returns its id."""
    put_on_duty(system)
    with system.store.read() as work:
        officer = Actor(find_user(work, "duty"), "command line", "bench")
        first = next(area.code for area in work.areas.all() if area.kind is AreaKind.COUNTY)
    warning = propose_by_hand(system.desk, {first: Level.ORANGE}, 24, "bench", "bench", officer).warning_id
    _sign(system, clock, warning)
    return warning


def _sign(system: System, clock: Ahead, warning: str) -> None:
    while not code_of(system, "duty"):
        clock.moment += timedelta(seconds=30)
    officers_sign(system, warning)


def _storm(system: System, clock: Ahead, storm: int, copies: list[Course]) -> None:
    """One course through the use cases, and after each of its releases the same of those beside it."""
    put_on_duty(system)
    desk = system.desk
    with system.store.read() as work:
        officer = Actor(find_user(work, "duty"), "command line", "bench")
        counties = [area.code for area in work.areas.all() if area.kind is AreaKind.COUNTY]
    first, second = counties[storm % len(counties)], counties[(storm + 1) % len(counties)]
    warning = propose_by_hand(desk, {first: Level.YELLOW}, 24, "bench", "bench", officer).warning_id
    _release(system, clock, warning, copies)
    clock.moment += timedelta(hours=2)
    update(desk, warning, {first: Level.ORANGE, second: Level.YELLOW}, "雨还在下", officer)
    _release(system, clock, warning, copies)
    clock.moment += timedelta(hours=6)
    if storm % 3 == 2:  # nobody said that it was over: its time runs out
        extend(desk, warning, clock.moment + timedelta(hours=30), "雨没停", officer)
    else:
        lift(desk, warning, "雨停", officer)
    _release(system, clock, warning, copies)


def _release(system: System, clock: Ahead, warning: str, copies: list[Course]) -> None:
    _sign(system, clock, warning)
    bulletin = officer_releases(system, warning)
    with system.store.begin() as work:
        package = work.proposals.package(bulletin.proposal_id)
        told = [entry for entry in work.ledger.entries(subject=warning) if bulletin.proposal_id in entry.payload]
        for course in copies:
            clock.moment += timedelta(seconds=1)
            _copy(system, work, course, bulletin, package, told)
        work.commit()


def _copy(
    system: System, work: UnitOfWork, course: Course, given: Bulletin, package: Package, told: list[LedgerEntry]
) -> None:
    """The same act of another course."""
    desk, at = system.desk, system.clock.now().replace(microsecond=0)
    course.names[given.warning_id] = course.warning
    own = _called(package, course.names)
    content = content_from_json(own.content)
    warning = work.warnings.get(course.warning)
    if warning is None:
        warning = HazardWarning(course.warning, Series.REAL, WarningStatus.PROPOSED, at)
        work.warnings.add(warning)
    (version, *_) = work.proposals.of_warning(given.warning_id)
    proposal = Proposal(
        new_id("p"),
        course.warning,
        version.version,
        content,
        own.sha256,
        version.edited_by,
        at,
        ProposalStatus.RELEASED,
    )
    work.proposals.add(proposal, own)
    for signoff in work.signoffs.of_proposal(given.proposal_id):
        signed = replace(signoff, id=new_id("s"), proposal_id=proposal.id, package_sha256=own.sha256, at=at)
        work.signoffs.add(signed)
    number = take_number(desk, work, content, at)
    late = late_values(desk, number, at)
    artefacts = freeze(desk, own, late)
    bulletin = replace(
        given, id=new_id("b"), warning_id=course.warning, proposal_id=proposal.id, serial=number.serial,
        number=number.text, slug=number.slug, released_at=at, content=content, package_sha256=own.sha256, late=late,
        artefacts={artefact.path: artefact.sha256 for artefact in artefacts},
    )  # fmt: skip
    work.bulletins.add(bulletin, artefacts)
    course.names |= {
        given.id: bulletin.id, given.slug: bulletin.slug, given.late["sent"]: late["sent"],
        given.number: bulletin.number, given.proposal_id: proposal.id, given.package_sha256: own.sha256,
    }  # fmt: skip
    _sent(work, given, bulletin)
    lifted = content.act.value == "lift"
    status = WarningStatus.LIFTED if lifted else WarningStatus.IN_FORCE
    work.warnings.save(replace(warning, status=status, ended_at=at if lifted else None))
    for entry in told:
        payload = json.loads(_renamed(entry.payload, course.names))
        if entry.kind == "bulletin.released":
            payload |= {"late": dict(late), "artefacts": dict(bulletin.artefacts), "release_at": at.isoformat()}
        work.ledger.append(at, entry.actor, entry.kind, course.warning, payload)


def _called(package: Package, names: dict[str, str]) -> Package:
    """The package with its references to what went before turned to the course's own."""
    own = tuple(
        replace(artefact, body=_renamed(artefact.body.decode(), names).encode())
        if not artefact.media_type.startswith("image/png")
        else artefact
        for artefact in package.artefacts
    )
    retraction = _called(package.retraction, names) if package.retraction else None
    return Package(json.loads(_renamed(json.dumps(dict(package.content)), names)), own, retraction)


def _renamed(text: str, names: dict[str, str]) -> str:
    for given, own in names.items():
        text = text.replace(given, own)
    return text


def _sent(work: UnitOfWork, given: Bulletin, own: Bulletin) -> None:
    """What the course beside it sent, delivered; of the texts only a few."""
    rows, texts = [], 0
    for dispatch in work.dispatches.of_bulletin(given.id):
        texts += dispatch.channel == "sms"
        if dispatch.channel == "sms" and texts > 5:
            continue
        at, left = own.released_at, dispatch.not_after - dispatch.release_at
        rows.append(
            replace(
                dispatch, id=new_id("d"), bulletin_id=own.id, shard=f"{own.id}-{dispatch.channel}", release_at=at,
                not_after=at + left, state=DispatchState.DELIVERED, attempts=1, started_at=at, accepted_at=at,
                delivered_at=at,
            )
        )  # fmt: skip
    work.dispatches.add_all(rows)
