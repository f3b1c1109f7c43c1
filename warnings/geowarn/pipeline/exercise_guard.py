"""What keeps real work and exercises apart inside the transactions of the line (house rule 10)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from geowarn.domain.canonical import sha256_hex
from geowarn.domain.errors import Refused
from geowarn.domain.exercise import TYPED, Exercise, ExerciseStatus
from geowarn.domain.task import Task
from geowarn.domain.warning import HazardWarning, ProposalStatus, Series, WarningStatus
from geowarn.ports import UnitOfWork

BY_REAL = "exercise.stopped-by-real"  # why its messages went unsent
OVER = "exercise.over"
STOPPED_TASK = "exercise-stopped"
LIVE = (WarningStatus.IN_FORCE, WarningStatus.VALIDITY_ENDED)
_NOT_OVER = (WarningStatus.PROPOSED, *LIVE)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a person typed to say that they know it is an exercise; `code` is the exercise's own."""

    typed: str
    code: str = ""


def code_digest(exercise_id: str, code: str) -> str:
    """How an exercise's code is kept."""
    return sha256_hex(f"{exercise_id}\n{code.strip()}")


def confirm(work: UnitOfWork, series: Series, given: Confirmation | None, needs_code: bool = False) -> None:
    """Raise Refused unless a person confirmed an act of the running exercise; real acts ask for nothing here."""
    if series is not Series.EXERCISE:
        return
    exercise = need_running(work)
    if given is None or given.typed.strip().lower() not in TYPED:
        raise Refused("exercise.typed", words=" / ".join(TYPED))
    if needs_code and code_digest(exercise.id, given.code) != exercise.code_sha256:
        raise Refused("exercise.code", number=exercise.number)


def need_running(work: UnitOfWork) -> Exercise:
    """The running exercise; raises Refused when there is none."""
    exercise = work.exercises.running()
    if exercise is None:
        raise Refused("exercise.not-running")
    return exercise


def hold_exercises(work: UnitOfWork) -> None:
    """Let whoever begins or ends an exercise, and whoever stores a real version, wait for each other.

    Taken before anything is looked at: else, on PostgreSQL, an exercise could begin beside a real version that is
    just being stored, and neither would see the other.
    """
    work.counters.next("exercise")


def guard_series(work: UnitOfWork, series: Series, now: datetime, label: str) -> None:
    """Before a version is stored: an exercise's needs a running exercise, and a real one stops it."""
    if series is Series.EXERCISE:
        need_running(work)
        return
    hold_exercises(work)
    exercise = work.exercises.running()
    if exercise is not None:
        leave(work, exercise, ExerciseStatus.STOPPED, now, label, BY_REAL)


def leave(work: UnitOfWork, exercise: Exercise, status: ExerciseStatus, now: datetime, label: str, reason: str) -> None:
    """End an exercise: what is unsent stays unsent, what is under review falls, people see why.

    Cheap and without rendering, because a real proposal waits for it; the stations are told by `exercise_end`.
    """
    work.exercises.save(replace(exercise, status=status, ended_at=now, ended_by=label, reason=reason))
    unsent = 0
    for warning in exercise_warnings(work):
        unsent += work.dispatches.overtake([b.id for b in work.bulletins.of_warning(warning.id)], now, reason)
        _drop_review(work, warning, now, reason)
    if status is ExerciseStatus.STOPPED:
        work.tasks.open(Task(f"t-{exercise.id}", STOPPED_TASK, exercise.id, now, facts={"number": exercise.number}))
    facts = {"number": exercise.number, "reason": reason, "unsent": unsent}
    work.ledger.append(now, label, f"exercise.{status.value}", exercise.id, facts)


def exercise_warnings(work: UnitOfWork) -> tuple[HazardWarning, ...]:
    """Courses of exercises that are not over; others are kept off these only, since real ones may wait for us."""
    seen = (warning for warning in work.warnings.standing(*_NOT_OVER) if warning.series is Series.EXERCISE)
    held = (work.warnings.get(warning.id) for warning in seen)
    return tuple(warning for warning in held if warning is not None and warning.status in _NOT_OVER)


def _drop_review(work: UnitOfWork, warning: HazardWarning, now: datetime, reason: str) -> None:
    for proposal in work.proposals.of_warning(warning.id)[:1]:
        if proposal.status in (ProposalStatus.OPEN, ProposalStatus.RETURNED):
            work.signoffs.void(proposal.id, now)
            work.proposals.save_status(replace(proposal, status=ProposalStatus.DISMISSED, status_reason=reason))
    work.tasks.close("review", warning.id, now)
    if warning.status is WarningStatus.PROPOSED:
        work.warnings.save(replace(warning, status=WarningStatus.DISMISSED, ended_at=now))
