"""An exercise is over: by a person, by its time or by a real proposal; then everyone who had it is told so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.errors import Refused
from geowarn.domain.exercise import Exercise, ExerciseStatus
from geowarn.domain.task import Task
from geowarn.domain.warning import Act, Content
from geowarn.pipeline.actor import SYSTEM, Actor, Machine
from geowarn.pipeline.desk import Desk, find_warning
from geowarn.pipeline.exercise import DIRECTORS
from geowarn.pipeline.exercise_guard import LIVE, OVER, exercise_warnings, hold_exercises, leave, need_running
from geowarn.pipeline.identifiers import new_id
from geowarn.pipeline.release import issue_unsigned
from geowarn.pipeline.versions import unreviewed_version
from geowarn.ports import UnitOfWork

UNTOLD_TASK = "exercise-untold"
_MACHINE = Machine()
_LEAST = timedelta(hours=2)  # how long the notice may still be delivered


def finish(desk: Desk, actor: Actor) -> Exercise:
    """A person ends the running exercise; what had been sent is cancelled at once."""
    actor.need(*DIRECTORS)
    with desk.store.begin() as work:
        hold_exercises(work)
        exercise = need_running(work)
        leave(work, exercise, ExerciseStatus.ENDED, desk.clock.now(), actor.label, OVER)
        work.commit()
    _tell(desk)
    return exercise


def keep_exercise(desk: Desk) -> bool:
    """One tick: end an exercise whose time is over, and tell everyone of one that is; True if it did either.

    A real proposal stops it in its own transaction, without telling: its own time is short.
    """
    ended = _end_due(desk)
    return _tell(desk) or ended


def _end_due(desk: Desk) -> bool:
    with desk.store.read() as work:
        running = work.exercises.running()
    if running is None or desk.clock.now() < running.ends_at:
        return False
    with desk.store.begin() as work:
        hold_exercises(work)
        found = work.exercises.running()
        if found is None or found.id != running.id:  # ended or stopped meanwhile
            return False
        leave(work, found, ExerciseStatus.ENDED, desk.clock.now(), SYSTEM, OVER)
        work.commit()
    return True


def _tell(desk: Desk) -> bool:
    """Cancel every warning of an exercise that is over and still in force; True if one was.

    Each in a transaction of its own, after the exercise's end: a notice that cannot be made keeps no exercise running
    and no other notice back. A person is told of it, and the next tick tries again.
    """
    with desk.store.read() as work:
        untold = _untold(work)
    told = False
    for warning_id in untold:
        try:
            told = _told(desk, warning_id) or told
        except Refused as refusal:
            _ask_for_help(desk, warning_id, refusal)
    return told


def _untold(work: UnitOfWork) -> tuple[str, ...]:
    if work.exercises.running() is not None:
        return ()
    return tuple(warning.id for warning in exercise_warnings(work) if warning.status in LIVE)


def _told(desk: Desk, warning_id: str) -> bool:
    with desk.store.begin() as work:
        hold_exercises(work)
        if warning_id not in _untold(work):
            return False
        work.bulletins.hold_order()  # as every release does before its first entry: a real one must not wait in a ring
        _cancel(desk, work, warning_id, desk.clock.now())
        work.commit()
    return True


def _ask_for_help(desk: Desk, warning_id: str, refusal: Refused) -> None:
    now = desk.clock.now()
    with desk.store.begin() as work:
        if work.tasks.open(Task(new_id("t"), UNTOLD_TASK, warning_id, now, facts={"reason": refusal.key})):
            facts = {"kind": UNTOLD_TASK, "reason": refusal.key}
            work.ledger.append(now, SYSTEM, "task.opened", warning_id, facts)
            work.commit()


def _cancel(desk: Desk, work: UnitOfWork, warning_id: str, now: datetime) -> Bulletin:
    """Its cancel in the exercise's own series; nobody is asked to review it."""
    last = work.bulletins.of_warning(warning_id)[-1]
    proposal = unreviewed_version(desk, work, warning_id, _content(desk, last, now), SYSTEM, _MACHINE.label)
    bulletin = issue_unsigned(desk, work, find_warning(work, warning_id), proposal, _MACHINE)
    for kind in ("extend-or-lift", UNTOLD_TASK):
        work.tasks.close(kind, warning_id, now)
    return bulletin


def _content(desk: Desk, last: Bulletin, now: datetime) -> Content:
    return replace(
        last.content,
        act=Act.CANCEL,
        areas=tuple(replace(area, before=area.level) for area in last.content.areas),
        onset=now.replace(minute=0, second=0, microsecond=0),
        expires=max(last.content.expires, now + _LEAST),
        next_update=desk.next_update(now),
        reason="演练结束",
        previous_bulletin=last.id,
    )
