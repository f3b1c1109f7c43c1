"""An exercise begins: a person types 演练, nothing speaks against it or a leader allows it, a scenario is proposed."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from geowarn.domain.errors import Refused
from geowarn.domain.exercise import (
    LONGEST,
    PERMIT_HOLDS,
    TYPED,
    Exercise,
    Permit,
    Scenario,
    closed_windows,
    free_until,
    is_closed,
)
from geowarn.domain.level import Level
from geowarn.domain.package import refuse_markers
from geowarn.domain.people import Role
from geowarn.domain.warning import Act, Content, Series, WarningStatus
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.exercise_guard import code_digest, hold_exercises
from geowarn.pipeline.versions import area_levels, new_id, slots_for, warning_of, write_version
from geowarn.ports import UnitOfWork

DIRECTORS = (Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF, Role.ADMINISTRATOR)
PERMITTERS = (Role.LEADER, Role.CHIEF)
HANDOVER, IN_FORCE, UNDER_REVIEW = "handover", "real-in-force", "real-under-review"
_AROUND = timedelta(hours=24)


def hindrances(work: UnitOfWork, now: datetime) -> tuple[str, ...]:
    """What speaks against an exercise at `now`: a hand-over, a real warning in force, a real proposal."""
    found = []
    if is_closed(now, closed_windows(work.shifts.between(now - _AROUND, now + _AROUND))):
        found.append(HANDOVER)
    # The proposals first: one that is released between the two looks then stands in the second.
    reviewed = any(proposal.content.series is not Series.EXERCISE for proposal in work.proposals.open())
    if any(warning.series is not Series.EXERCISE for warning in work.warnings.standing(WarningStatus.IN_FORCE)):
        found.append(IN_FORCE)
    if reviewed:
        found.append(UNDER_REVIEW)
    return tuple(found)


def permit(desk: Desk, reason: str, actor: Actor) -> Permit:
    """A leader allows one exercise to begin within the next half hour, whatever speaks against it."""
    actor.need(*PERMITTERS)
    if not reason.strip():
        raise Refused("exercise.permit-reason")
    now = desk.clock.now()
    given = Permit(new_id("e"), actor.user.name, now, now + PERMIT_HOLDS, reason.strip())
    with desk.store.begin() as work:
        work.exercises.permit(given)
        facts = {"until": given.until.isoformat(), "reason": given.reason, "against": list(hindrances(work, now))}
        work.ledger.append(now, actor.label, "exercise.permitted", given.id, facts)
        work.commit()
    return given


def start(desk: Desk, scenario: Scenario, typed: str, minutes: int, actor: Actor) -> tuple[Exercise, str]:
    """Begin an exercise and propose its scenario; returns it with its own code, which is kept only as a digest.

    Raises Refused without the typed word, while another runs, and while something speaks against it and no leader
    other than the actor has allowed it.
    """
    actor.need(*DIRECTORS)
    if typed.strip().lower() not in TYPED:
        raise Refused("exercise.typed", words=" / ".join(TYPED))
    if not 5 <= minutes <= LONGEST.total_seconds() / 60:
        raise Refused("exercise.minutes", minutes=minutes, longest=int(LONGEST.total_seconds() / 60))
    if max(scenario.levels.values(), default=Level.NONE) < desk.policy.publish_from:
        raise Refused("exercise.no-level", level=desk.policy.publish_from.code)
    code = f"{secrets.randbelow(10**6):06d}"
    with desk.store.begin() as work:
        hold_exercises(work)
        running = work.exercises.running()
        if running is not None:
            raise Refused("exercise.already-running", number=running.number)
        exercise = _begun(desk, work, scenario, minutes, actor, desk.clock.now(), code)
        work.commit()
    return exercise, code


def _begun(
    desk: Desk, work: UnitOfWork, scenario: Scenario, minutes: int, actor: Actor, now: datetime, code: str
) -> Exercise:
    against = hindrances(work, now)
    allowed = _allowed(work, actor, now) if against else None
    if against and allowed is None:
        raise Refused(f"exercise.against-{against[0]}")
    year = now.astimezone(desk.zone).year
    content = _content(desk, work, scenario, now)
    warning = warning_of(work, content, now, actor.label)
    name = new_id("x")
    exercise = Exercise(
        id=name,
        year=year,
        serial=work.counters.next(f"exercise.{year}"),
        title_zh=scenario.title_zh,
        title_en=scenario.title_en,
        director=actor.user.name,
        started_at=now,
        ends_at=_end(work, now, now + timedelta(minutes=minutes), allowed),
        code_sha256=code_digest(name, code),
        warning_id=warning.id,
        permit_id=allowed.id if allowed else None,
    )
    if allowed is not None and not work.exercises.use_permit(allowed.id, exercise.id, now):
        raise Refused(f"exercise.against-{against[0]}")
    work.exercises.add(exercise)
    facts = {
        "number": exercise.number,
        "scenario": scenario.name,
        "levels": {code: level.code for code, level in sorted(scenario.levels.items())},
        "ends": exercise.ends_at.isoformat(),
        "against": list(against),
        "permit": exercise.permit_id,
        "warning": warning.id,
    }
    work.ledger.append(now, actor.label, "exercise.started", exercise.id, facts)
    write_version(desk, work, warning.id, content, actor.user.name, actor.label)
    return exercise


def _allowed(work: UnitOfWork, actor: Actor, now: datetime) -> Permit | None:
    """A permit that holds now and that somebody else gave."""
    found = work.exercises.permits(now - PERMIT_HOLDS)
    return next((given for given in found if given.holds(now) and given.granted_by != actor.user.name), None)


def _end(work: UnitOfWork, now: datetime, wanted: datetime, allowed: Permit | None) -> datetime:
    """No exercise runs into a hand-over on its own; one that a leader allowed runs its time."""
    free = None if allowed else free_until(now, closed_windows(work.shifts.between(now - _AROUND, now + _AROUND)))
    return min(wanted, free) if free else wanted


def _content(desk: Desk, work: UnitOfWork, scenario: Scenario, now: datetime) -> Content:
    areas = area_levels(work, scenario.levels, {})
    for text in (scenario.title_zh, scenario.title_en):
        refuse_markers(text, "scenario")
    return Content(
        act=Act.ISSUE,
        series=Series.EXERCISE,
        areas=areas,
        onset=now.replace(minute=0, second=0, microsecond=0),
        expires=(now + timedelta(hours=scenario.hours)).replace(minute=0, second=0, microsecond=0),
        next_update=desk.next_update(now),
        slots=slots_for(desk, areas, {}),
        reason=scenario.title_zh,
        source="exercise",
        synthetic=desk.synthetic or scenario.synthetic,
        calibrated=True,
    )
