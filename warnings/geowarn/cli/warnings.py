"""`geowarn warnings`: look, propose, edit, sign, release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.progress import Progress

from geowarn.bootstrap import System
from geowarn.catalogue import terminal_language
from geowarn.cli.clock import say_clock
from geowarn.cli.codes import Code, code_for, content_under_review
from geowarn.cli.common import As, AsJson, Data, acting, line, local_time, put_json, put_table, system_of
from geowarn.cli.forecast import level_word
from geowarn.domain.area import Area, by_code
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.warning import Series
from geowarn.pipeline.clock_view import clock_json, clock_of_review
from geowarn.pipeline.desk import find_warning, newest
from geowarn.pipeline.exercise_guard import Confirmation
from geowarn.pipeline.liveness import worker_alive
from geowarn.pipeline.propose import propose_by_hand, propose_from_run
from geowarn.pipeline.release import release as release_proposal
from geowarn.pipeline.review import dismiss as dismiss_proposal
from geowarn.pipeline.review import edit as edit_slots
from geowarn.pipeline.review import return_for_edit
from geowarn.pipeline.signoff import sign as sign_proposal
from geowarn.pipeline.view import warning_view
from geowarn.reasons import area_sentences, whole_sentences
from geowarn.worker import run_until_settled

app = typer.Typer(help="Warnings, from proposal to all-clear · 预警", no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="ID", help="Id, slug or number of a warning")]
Confirm = Annotated[str, typer.Option("--confirm", help="演练: the word that every act of an exercise asks for")]
Areas = Annotated[list[str], typer.Option("--area", help="Area code; may be given several times")]
NewLevels = Annotated[list[str], typer.Option("--level", help="One for all areas or one for each; none takes it out")]
Reason = Annotated[str, typer.Option("--reason", help="Why, kept in the ledger · 理由，入台账")]


@app.command("list")
def list_(as_json: AsJson = False, data: Data = None) -> None:
    """List warnings, newest first · 列出预警"""
    system = system_of(data)
    with system.store.read() as work:
        views = [warning_view(work, warning, system.policy) for warning in work.warnings.all()]
    if as_json:
        put_json(views)
        return
    rows = [
        [v["id"], v["number"] or "", v["status"], level_word(v["level"]), local_time(system, v["expires"])]
        for v in views
    ]
    put_table(["id", "number", "status", "level", "end"], rows)


@app.command()
def show(warning: Id, as_json: AsJson = False, data: Data = None) -> None:
    """Show one warning · 查看预警"""
    system = system_of(data)
    with system.store.read() as work:
        found = find_warning(work, warning)
        view = warning_view(work, found, system.policy)
        view["clock"] = clock_json(clock_of_review(work, found.id, system.clock.now()))
        areas = by_code(work.areas.plain())
    names = {code: area.name(terminal_language()) for code, area in areas.items()}
    if as_json:
        put_json(view)
        return
    for key in ("id", "number", "status", "version", "proposal_status", "package_sha256"):
        typer.echo(f"{key}: {view[key] if view[key] is not None else '-'}")
    for key in ("onset", "expires"):
        typer.echo(f"{key}: {local_time(system, view[key])}")
    put_table(
        ["code", "name", "level"],
        [[a["code"], names.get(a["code"], ""), level_word(a["level"])] for a in view["areas"]],
    )
    _say_decided(system, view["decided"], areas)
    say_clock(system, view["clock"])
    for task in view["tasks"]:
        line(f"task-{task['kind']}", warning=view["id"])
    put_table(["slot", "text"], [[key, text] for key, text in sorted(view["slots"].items())])
    put_table(
        ["role", "user", "time"],
        [[s["role"], s["user"], local_time(system, s["at"])] for s in view["signoffs"] if not s["voided"]],
    )
    if view["missing"]:
        line("missing", roles=", ".join(view["missing"]))
    counts = [[c, s, str(n)] for c, states in view["dispatches"].items() for s, n in sorted(states.items())]
    if counts:
        put_table(["channel", "state", "count"], counts)


def _say_decided(system: System, decided: list[dict[str, Any]], areas: Mapping[str, Area]) -> None:
    """Why the levels are as they are, and what the newest run has changed about that."""
    language, zone = terminal_language(), ZoneInfo(system.settings.installation.zone)
    for record in decided:
        line("decided", run=record["run"], at=local_time(system, record["at"]))
        sentences = [text for _, text in area_sentences(record, areas, system.policy.course, language, zone)]
        for text in (*sentences, *whole_sentences(record, areas, language, zone)):
            typer.echo(f"  {text}")


@app.command()
def propose(
    as_user: As,
    area: Annotated[list[str] | None, typer.Option("--area", help="Area code; may be given several times")] = None,
    level: Annotated[list[str] | None, typer.Option("--level", help="One for all areas, or one for each")] = None,
    reason: Annotated[str, typer.Option("--reason")] = "",
    source: Annotated[str, typer.Option("--source", help="Who or what reported it")] = "",
    hours: Annotated[float, typer.Option("--hours", help="How long it shall hold")] = 24,
    assessment: Annotated[str | None, typer.Option("--assessment", help="Default: the newest one")] = None,
    exercise: Annotated[bool, typer.Option("--exercise", help="演练: numbered and marked apart")] = False,
    confirm: Confirm = "",
    data: Data = None,
) -> None:
    """Propose from an assessment, or by hand with a reason and a source · 提案"""
    system = system_of(data)
    actor = acting(system, as_user)
    if area:
        levels = levels_of(area, level or [])
        series = Series.EXERCISE if exercise else Series.REAL
        proposal = propose_by_hand(
            system.desk, levels, hours, reason, source or actor.label, actor, series, Confirmation(confirm)
        )
    else:
        found = propose_from_run(system.desk, assessment or _latest_run(system), actor)
        if found is None:
            line("nothing-rises")
            return
        proposal = found
    line("proposed", warning=proposal.warning_id, version=proposal.version, digest=proposal.package_sha256)


def _latest_run(system: System) -> str:
    with system.store.read() as work:
        runs = work.assessments.latest(1)
    if not runs:
        raise Refused("cli.no-assessment")
    return runs[0].id


def levels_of(areas: list[str], levels: list[str]) -> dict[str, Level]:
    """The level of each area named; raises Refused when the counts do not fit."""
    if len(levels) not in (1, len(areas)):
        raise Refused("cli.level-count", areas=len(areas), levels=len(levels))
    given = levels * len(areas) if len(levels) == 1 else levels
    return {code: Level.parse(text) for code, text in zip(areas, given, strict=True)}


@app.command()
def edit(
    warning: Id,
    slot: Annotated[list[str], typer.Option("--slot", help="NAME=TEXT; may be given several times")],
    as_user: As,
    data: Data = None,
) -> None:
    """Change slots: makes a new version and voids signatures · 修改可改处"""
    system = system_of(data)
    wanted = {name: text for name, _, text in (part.partition("=") for part in slot)}
    proposal = edit_slots(system.desk, warning, wanted, acting(system, as_user))
    line("edited", warning=proposal.warning_id, version=proposal.version, digest=proposal.package_sha256)


@app.command("return")
def return_(warning: Id, reason: Reason, as_user: As, data: Data = None) -> None:
    """Give back for editing · 退回修改"""
    system = system_of(data)
    proposal = return_for_edit(system.desk, warning, reason, acting(system, as_user))
    line("returned", warning=proposal.warning_id, version=proposal.version)


@app.command()
def dismiss(warning: Id, reason: Reason, as_user: As, data: Data = None) -> None:
    """Decide not to issue · 不予发布"""
    system = system_of(data)
    proposal = dismiss_proposal(system.desk, warning, reason, acting(system, as_user))
    line("dismissed", warning=proposal.warning_id, version=proposal.version)


@app.command()
def sign(
    warning: Id,
    as_user: As,
    digest: Annotated[str | None, typer.Option("--package", help="Refuse unless this is still the digest")] = None,
    code: Code = "",
    confirm: Confirm = "",
    data: Data = None,
) -> None:
    """Sign the package under review · 核签、签批、会签"""
    system = system_of(data)
    actor = acting(system, as_user)
    if confirm:  # of an exercise: the code is its own, never a real one
        signoff = sign_proposal(system.desk, warning, actor, digest, confirmation=Confirmation(confirm, code))
    else:
        code = code_for(system, content_under_review(system, warning), code)
        signoff = sign_proposal(system.desk, warning, actor, digest, code)
    with system.store.read() as work:
        view = warning_view(work, find_warning(work, warning), system.policy)
    line("signed", user=signoff.user, role=signoff.role.value, digest=signoff.package_sha256)
    if view["missing"]:
        line("missing", roles=", ".join(view["missing"]))
    else:
        line("complete")


@app.command()
def release(
    warning: Id,
    as_user: As,
    wait: Annotated[bool, typer.Option("--wait", help="Send from this process until nothing is left")] = False,
    confirm: Confirm = "",
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Release the signed version · 发布"""
    system = system_of(data)
    bulletin = release_proposal(system.desk, warning, acting(system, as_user), confirmation=Confirmation(confirm))
    after_release(system, bulletin, wait, as_json)


def after_release(system: System, bulletin: Bulletin, wait: bool, as_json: bool) -> None:
    """Say what was released and who sends it; with `wait`, send it here until every dispatch is settled."""
    if not as_json:
        line("released", number=bulletin.number, slug=bulletin.slug, sent=bulletin.late["sent"])
    if wait:
        with Progress(transient=True, disable=as_json) as progress:
            run_until_settled(system, bulletin.id, progress)
    with system.store.read() as work:
        view = warning_view(work, find_warning(work, bulletin.warning_id), system.policy)
        alive = worker_alive(work, system.clock.now())
        latest = newest(work, bulletin.warning_id)
    if as_json:
        put_json({**view, "worker_alive": alive, "version": latest.version if latest else None})
        return
    if not wait:
        line("worker-alive" if alive else "worker-missing", warning=bulletin.slug)
    counts = [[c, s, str(n)] for c, states in view["dispatches"].items() for s, n in sorted(states.items())]
    put_table(["channel", "state", "count"], counts)
