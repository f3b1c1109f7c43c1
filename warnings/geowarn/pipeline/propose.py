"""Levels → a proposal under review: from an assessment, or by a person who knows something."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from geowarn.domain.area import by_code
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.level import Level
from geowarn.domain.package import refuse_markers
from geowarn.domain.people import Role
from geowarn.domain.warning import Act, Content, Proposal, Series
from geowarn.pipeline.actor import SYSTEM, Actor, codes_of
from geowarn.pipeline.course_acts import act_on
from geowarn.pipeline.course_held import current_course, runs_to_hear
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.exercise_guard import Confirmation, confirm
from geowarn.pipeline.versions import area_levels, new_id, open_warning, slots_for, store_version

__all__ = [
    "area_levels",
    "follow_course",
    "hours_left",
    "new_id",
    "open_warning",
    "propose_by_hand",
    "propose_from_run",
    "slots_for",
    "store_version",
]


_PROPOSERS = (Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF, Role.OBSERVATORY)


def _need_text(value: str, name: str) -> str:
    if not value.strip():
        raise Refused("propose.text-missing", field=name)
    refuse_markers(value, name)
    return value.strip()


def propose_by_hand(
    desk: Desk,
    levels: Mapping[str, Level],
    hours: float,
    reason: str,
    source: str,
    actor: Actor,
    series: Series = Series.REAL,
    confirmation: Confirmation | None = None,
) -> Proposal:
    """A person proposes without a forecast (a crack, a warden's call); reason and source are required.

    `hours` from now until the end of validity, at most 72. An exercise needs its `confirmation`.
    """
    actor.need_somewhere(*_PROPOSERS)
    if not levels or max(levels.values()) is Level.NONE:
        raise Refused("propose.no-level")
    if not 1 <= hours <= 72:
        raise Refused("propose.hours", hours=hours)
    now = desk.clock.now()
    with desk.store.begin() as work:
        confirm(work, series, confirmation)
        actor.need(*_PROPOSERS, work=work, areas=levels)
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


def propose_from_run(desk: Desk, run_id: str, actor: Actor | None = None) -> Proposal | None:
    """Propose what the runs call for now that this one is there; None where that changes nothing.

    Calling it again changes nothing, and makes up for a crash after the assessment. A version that a person has under
    review is replaced only where a person asks (`actor`); else a task says what the newer runs call for.
    """
    label, editor = (actor.label, actor.user.name) if actor else (SYSTEM, SYSTEM)
    if actor:
        actor.need_somewhere(*_PROPOSERS)
    now = desk.clock.now()
    with desk.store.read() as work:
        run = work.assessments.get(run_id)
        if run is None:
            raise NotFound("assess.unknown-run", run=run_id)
        if run.window.end <= now:
            raise Refused("propose.window-over", run=run_id, end=run.window.end.isoformat())
        heard = runs_to_hear(work, run, now)
        areas = by_code(work.areas.all())
    with desk.store.begin() as work:
        work.counters.next("course")  # two decisions at once: the second sees what the first has done
        course = current_course(work, desk.policy.course, now)
        outcome = act_on(desk, work, course, areas, heard, run, editor, label)
        if actor and outcome.proposal:
            actor.need(*_PROPOSERS, work=work, areas=codes_of(outcome.proposal.content))
        if outcome.changed:
            work.commit()
    return outcome.proposal


def follow_course(desk: Desk, actor: Actor | None = None) -> Proposal | None:
    """Decide again on the newest run that is not over.

    Time alone ends the persistence after rain, and a crash between assessment and proposal is made up for.
    """
    if actor:
        actor.need_somewhere(*_PROPOSERS)
    now = desk.clock.now()
    with desk.store.read() as work:
        run = next((found for found in work.assessments.latest(5) if found.window.end > now), None)
    return propose_from_run(desk, run.id, actor) if run else None


def hours_left(content: Content, now: datetime) -> float:
    """Hours until the content's end of validity."""
    return (content.expires - now).total_seconds() / 3600
