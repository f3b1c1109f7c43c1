"""Levels → a proposal under review: from an assessment, or by a person who knows something."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from geowarn.domain.area import Area, AreaKind, ancestors, by_code
from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.level import Level
from geowarn.domain.package import refuse_markers
from geowarn.domain.people import Role
from geowarn.domain.task import Task
from geowarn.domain.warning import (
    Act,
    AreaLevel,
    Content,
    HazardWarning,
    Proposal,
    ProposalStatus,
    Series,
    WarningStatus,
)
from geowarn.pipeline.actor import SYSTEM, Actor
from geowarn.pipeline.desk import Desk, newest
from geowarn.pipeline.render import render_package
from geowarn.ports import UnitOfWork


def new_id(kind: str) -> str:
    """A fresh identifier: a letter for the kind and 10 random hexadecimal digits."""
    return f"{kind}-{secrets.token_hex(5)}"


def slots_for(desk: Desk, areas: Iterable[AreaLevel], written: Mapping[str, str]) -> dict[str, str]:
    """The slots of every level present: what was written before, else the pre-approved text."""
    levels = {area.level.code for area in areas} | {area.before.code for area in areas}
    wanted = {key: text for key, text in desk.default_slots.items() if key.split(".")[1] in levels}
    return {key: written.get(key, text) for key, text in wanted.items()}


def store_version(desk: Desk, work: UnitOfWork, warning_id: str, content: Content, editor: str, label: str) -> Proposal:
    """Render `content` and store it as the newest version; any earlier one is superseded, its signatures void."""
    now = desk.clock.now()
    before = newest(work, warning_id)
    package = render_package(desk, work, content, warning_id)
    voided = 0
    if before is not None and before.status in (ProposalStatus.OPEN, ProposalStatus.RETURNED):
        voided = work.signoffs.void(before.id, now)
        work.proposals.save_status(replace(before, status=ProposalStatus.SUPERSEDED))
    version = before.version + 1 if before else 1
    proposal = Proposal(new_id("p"), warning_id, version, content, package.sha256, editor, now)
    work.proposals.add(proposal, package)
    work.tasks.open(Task(new_id("t"), "review", warning_id, now, facts={"level": content.highest.code}))
    work.ledger.append(
        now,
        label,
        "proposal.version",
        warning_id,
        {
            "proposal": proposal.id,
            "version": version,
            "package_sha256": package.sha256,
            "voided": voided,
            "content": content.as_json(),
        },
    )
    return proposal


def open_warning(desk: Desk, work: UnitOfWork, content: Content, editor: str, label: str) -> Proposal:
    """Begin a course of events with its first proposal."""
    now = desk.clock.now()
    warning = HazardWarning(new_id("w"), content.series, WarningStatus.PROPOSED, now)
    work.warnings.add(warning)
    opened = {"series": warning.series.value, "source": content.source, "reason": content.reason}
    work.ledger.append(now, label, "warning.opened", warning.id, opened)
    return store_version(desk, work, warning.id, content, editor, label)


def _need_text(value: str, name: str) -> str:
    if not value.strip():
        raise Refused("propose.text-missing", field=name)
    refuse_markers(value, name)
    return value.strip()


def area_levels(work: UnitOfWork, levels: Mapping[str, Level], before: Mapping[str, Level]) -> tuple[AreaLevel, ...]:
    """The areas named with their levels, highest first; raises NotFound for a code that is not an area."""
    known = by_code(work.areas.all())
    for code in levels:
        if code not in known:
            raise NotFound("propose.unknown-area", code=code)
    named = [AreaLevel(code, level, before.get(code, Level.NONE)) for code, level in levels.items()]
    return tuple(sorted(named, key=lambda area: (-area.level, area.code)))


def propose_by_hand(
    desk: Desk,
    levels: Mapping[str, Level],
    hours: float,
    reason: str,
    source: str,
    actor: Actor,
    series: Series = Series.REAL,
) -> Proposal:
    """A person proposes without a forecast (a crack, a warden's call); reason and source are required.

    `hours` from now until the end of validity, at most 72.
    """
    actor.need(Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF, Role.OBSERVATORY)
    if not levels or max(levels.values()) is Level.NONE:
        raise Refused("propose.no-level")
    if not 1 <= hours <= 72:
        raise Refused("propose.hours", hours=hours)
    now = desk.clock.now()
    with desk.store.begin() as work:
        areas = area_levels(work, levels, {})
        content = Content(
            act=Act.ISSUE,
            series=series,
            areas=areas,
            onset=now.replace(minute=0, second=0, microsecond=0),
            expires=(now + timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0),
            next_update=desk.next_update(now),
            slots=slots_for(desk, areas, {}),
            reason=_need_text(reason, "reason"),
            source=_need_text(source, "source"),
            synthetic=desk.synthetic,
        )
        proposal = open_warning(desk, work, content, actor.user.name, actor.label)
        work.commit()
    return proposal


def listed(assessments: Iterable[Assessment], areas: Mapping[str, Area]) -> dict[str, Level]:
    """The areas a bulletin names: those whose level is above that of every area they belong to.

    A township that only shares its county's level is not listed beside it; a city never is, its counties are.
    """
    found = {a.area: a.level for a in assessments if a.level is not None and a.level > Level.NONE}
    named: dict[str, Level] = {}
    for code, level in found.items():
        holders = [c for c in ancestors(code, areas)[1:] if areas[c].kind is not AreaKind.CITY]
        if areas[code].kind is not AreaKind.CITY and all(found.get(c, Level.NONE) < level for c in holders):
            named[code] = level
    return named


def _content_from(desk: Desk, run: AssessmentRun, areas: tuple[AreaLevel, ...], written: Mapping[str, str]) -> Content:
    return Content(
        act=Act.ISSUE,
        series=Series.REAL,
        areas=areas,
        onset=run.window.start,
        expires=run.window.end,
        next_update=desk.next_update(desk.clock.now()),
        slots=slots_for(desk, areas, written),
        source="forecast",
        assessment_id=run.id,
        synthetic=run.synthetic or desk.synthetic,
        calibrated=run.calibrated,
    )


def _current_course(work: UnitOfWork) -> HazardWarning | None:
    """The course that a forecast belongs to: the newest one that is open or in force and came from forecasts."""
    live = (WarningStatus.PROPOSED, WarningStatus.IN_FORCE, WarningStatus.VALIDITY_ENDED)
    for warning in work.warnings.all():
        proposal = newest(work, warning.id)
        if warning.status not in live or warning.series is not Series.REAL or proposal is None:
            continue
        if proposal.content.assessment_id is not None:
            return warning
    return None


def _raised(held: Mapping[str, Level], new: Mapping[str, Level]) -> dict[str, Level] | None:
    """Held and new levels together, or None where nothing rises: input alone never lowers (house rule 1)."""
    if all(level <= held.get(code, Level.NONE) for code, level in new.items()):
        return None
    return {code: max(held.get(code, Level.NONE), new.get(code, Level.NONE)) for code in {*held, *new}}


def propose_from_run(desk: Desk, run_id: str, actor: Actor | None = None) -> Proposal | None:
    """Propose what an assessment calls for; None when nothing rises above what is proposed or in force."""
    label, editor = (actor.label, actor.user.name) if actor else (SYSTEM, SYSTEM)
    with desk.store.begin() as work:
        run = work.assessments.get(run_id)
        if run is None:
            raise NotFound("assess.unknown-run", run=run_id)
        if run.window.end <= desk.clock.now():
            raise Refused("propose.window-over", run=run_id, end=run.window.end.isoformat())
        proposal = _propose(desk, work, run, editor, label)
        if proposal is not None:
            work.commit()
    return proposal


def _propose(desk: Desk, work: UnitOfWork, run: AssessmentRun, editor: str, label: str) -> Proposal | None:
    new = listed(run.assessments, by_code(work.areas.all()))
    course = _current_course(work)
    if course is None:
        if not new:
            return None
        return open_warning(desk, work, _content_from(desk, run, area_levels(work, new, {}), {}), editor, label)
    latest = newest(work, course.id)
    assert latest is not None  # noqa: S101 - _current_course looked at it
    held = {area.code: area.level for area in latest.content.areas}
    levels = _raised(held, new)
    if levels is None:
        return None
    return _rise(desk, work, run, course, latest, levels, editor, label)


def _rise(
    desk: Desk,
    work: UnitOfWork,
    run: AssessmentRun,
    course: HazardWarning,
    latest: Proposal,
    levels: Mapping[str, Level],
    editor: str,
    label: str,
) -> Proposal:
    released = work.bulletins.of_warning(course.id)
    before = {area.code: area.level for area in released[-1].content.areas} if released else {}
    content = _content_from(desk, run, area_levels(work, levels, before), latest.content.slots)
    content = replace(
        content,
        act=Act.UPDATE if released else Act.ISSUE,
        expires=max(run.window.end, latest.content.expires),
        previous_bulletin=released[-1].id if released else None,
    )
    return store_version(desk, work, course.id, content, editor, label)


def hours_left(content: Content, now: datetime) -> float:
    """Hours until the content's end of validity."""
    return (content.expires - now).total_seconds() / 3600
