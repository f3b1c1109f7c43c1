"""A second look, from elsewhere: did what should have rung really ring, and does the clock tick at all?"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from geowarn.domain.escalation import Pass
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.escalation import open_passes, standing_of
from geowarn.pipeline.escalation_advance import rings
from geowarn.pipeline.escalation_chain import DECIDERS, current_shift
from geowarn.pipeline.owed import owe
from geowarn.pipeline.propose import new_id
from geowarn.pipeline.ringing import tell_silent
from geowarn.ports import UnitOfWork

SILENT, SUBJECT, TICK = "escalation-silent", "installation", "escalation"
GRACE = timedelta(seconds=60)  # a tick comes every few seconds
log = logging.getLogger(__name__)


def audit(desk: Desk) -> tuple[str, ...]:
    """Raise the task `escalation-silent` for rings that were due and never came; returns what is wrong.

    Runs in another job, and in another thread, than the one it looks after. The next tick that rings closes it.
    """
    with desk.store.read() as work:
        found = faults(desk, work)
        standing = any(task.kind == SILENT for task in work.tasks.pending())
        unowed = _unowed(work)
    if not found and not standing and not unowed:
        return ()
    now = desk.clock.now()
    with desk.store.begin() as work:
        found = faults(desk, work)
        _owe_again(work)
        if not found:
            work.tasks.close(SILENT, SUBJECT, now)
        else:
            _alarm(desk, work, found, now)
        work.commit()
    return found


def faults(desk: Desk, work: UnitOfWork) -> tuple[str, ...]:
    """What should have been done by now: a tick, a pass for every task that rings, a ring that was due."""
    now = desk.clock.now()
    asked = [task for task in work.tasks.pending() if rings(desk, task) and task.kind != SILENT]
    found = [fault for task in asked for fault in _of_task(work, task, now)]
    ticked = work.ticks.alive(TICK, now - GRACE)
    if asked and not ticked and min(task.opened_at for task in asked) <= now - GRACE:
        found.append("no-tick")
    return tuple(found)


def _of_task(work: UnitOfWork, task: Task, now: datetime) -> list[str]:
    passes = open_passes(work, task.id)
    if not passes:
        return [f"no-chain {task.kind} {task.subject}"] if task.opened_at <= now - GRACE else []
    found = []
    for one in passes:
        rung = {(ring.number, ring.person) for ring in work.escalations.rung(one.id)}
        for ring in standing_of(work, one, now - GRACE).rings:
            late = ring.due <= now - GRACE and any((ring.number, p) not in rung for p in ring.post.people)
            found += [f"not-rung {task.kind} {task.subject} {ring.post.name}"] if late else []
        if _stuck(work, one, now - GRACE):
            found.append(f"not-continued {task.kind} {task.subject}")
    return found


def _stuck(work: UnitOfWork, one: Pass, then: datetime) -> bool:
    """Whether a pass was over by then, everybody had had their time, and nothing followed."""
    had_time = all(ring.at + one.window <= then for ring in work.escalations.rung(one.id))
    return standing_of(work, one, then).over and had_time


def _alarm(desk: Desk, work: UnitOfWork, found: tuple[str, ...], now: datetime) -> None:
    log.error("the clock of the duty room is silent: %s", "; ".join(found))
    if not work.tasks.open(Task(new_id("t"), SILENT, SUBJECT, now, facts={"faults": list(found)})):
        return
    work.ledger.append(now, SYSTEM, "task.opened", SUBJECT, {"kind": SILENT, "faults": list(found)})
    shift = current_shift(work, now)
    on_duty = {shift.officer, shift.deputy, shift.leader} if shift else set()
    for user in work.users.all():
        if user.active and (user.name in on_duty or (not on_duty and DECIDERS & user.roles)):
            tell_silent(desk, work, user, found)


def _unowed(work: UnitOfWork) -> bool:
    """Whether a review is owed of which no task speaks any more."""
    told = {str(task.facts.get("bulletin")) for task in work.tasks.pending() if task.kind == "after-review"}
    return any(owed.bulletin_id not in told for owed in work.emergencies.unsettled())


def _owe_again(work: UnitOfWork) -> None:
    """A review that is owed cannot be forgotten: its task is opened again, however it was closed."""
    for owed in work.emergencies.unsettled():
        bulletin = work.bulletins.get(owed.bulletin_id)
        if bulletin is not None:
            owe(work, owed, new_id("t"), bulletin.slug, bulletin.content.highest.code)
