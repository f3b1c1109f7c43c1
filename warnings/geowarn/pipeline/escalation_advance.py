"""The tick of the clock: ring who is due, hand on what nobody answers, never let a task fall silent.

Nothing is remembered between ticks: what is due is worked out from the tables, so a tick that came late, twice or
after a restart does what the ones before it left undone.
"""

from __future__ import annotations

import logging

from geowarn.domain.clock import AFTER_REVIEW, OnSilence
from geowarn.domain.errors import Refused
from geowarn.domain.escalation import Pass
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.emergency import NOT_RUNG, bars_of, release_first
from geowarn.pipeline.escalation import REVIEW, begin_again, end, open_passes, ring_due, standing_of, tend
from geowarn.pipeline.escalation_chain import current_shift
from geowarn.pipeline.escalation_follow import follow_task, handed_over, waited_for
from geowarn.ports import UnitOfWork

log = logging.getLogger(__name__)


def advance(desk: Desk) -> int:
    """Do what the clock asks for now; returns for how many tasks something was done."""
    with desk.store.read() as work:
        waiting = [task.id for task in work.tasks.pending() if _stirs(desk, work, task)]
        known = {task.id for task in work.tasks.pending()}
        waiting += sorted({one.task_id for one in work.escalations.open()} - known)
    for task_id in waiting:
        try:
            _turn(desk, task_id, None)
        except Refused as refusal:  # only a release that cannot be made; it must not end in silence
            log.error("an emergency release was refused: %s", refusal)
            _turn(desk, task_id, refusal)
    return len(waiting)


def rings(desk: Desk, task: Task) -> bool:
    """Whether a task of this kind has a clock."""
    return task.kind in (REVIEW, AFTER_REVIEW) or task.kind in desk.policy.clock.kinds


def _stirs(desk: Desk, work: UnitOfWork, task: Task) -> bool:
    """Whether anything is due for an open task; only looks."""
    now, passes = desk.clock.now(), open_passes(work, task.id)
    if not passes:
        return rings(desk, task)
    shift = current_shift(work, now)
    if set(waited_for(desk, work, task)) != {one.step for one in passes}:
        return True
    return any(handed_over(one, shift) or _due(work, one, desk) for one in passes)


def _due(work: UnitOfWork, one: Pass, desk: Desk) -> bool:
    standing = standing_of(work, one, desk.clock.now())
    rung = {(ring.number, ring.person) for ring in work.escalations.rung(one.id)}
    due = {(ring.number, person) for ring in standing.rings for person in ring.post.people or ("",)}
    return standing.over or bool(due - rung)


def _turn(desk: Desk, task_id: str, refused: Refused | None) -> None:
    """One task's turn, in one transaction; `refused` says why it cannot be released first."""
    now = desk.clock.now()
    with desk.store.begin() as work:
        task = next((found for found in work.tasks.pending() if found.id == task_id), None)
        if task is None:
            for one in open_passes(work, task_id):
                end(work, one, now, "closed")
            work.commit()
            return
        if task.kind == REVIEW:
            work.warnings.get(task.subject)  # PostgreSQL: writers of one warning wait for each other
        follow_task(desk, work, task)
        for one in open_passes(work, task_id):
            ring_due(desk, work, one)
            if standing_of(work, one, now).over and _go_on(desk, work, task, one, refused):
                work.commit()
                return
        tend(work, task, now)
        work.commit()


def _go_on(desk: Desk, work: UnitOfWork, task: Task, one: Pass, refused: Refused | None) -> bool:
    """What follows the silence of a whole chain; returns whether the task is over by it."""
    if one.on_silence is OnSilence.RELEASE_FIRST and one.kind == REVIEW:
        bars = ("refused",) if refused else bars_of(desk, work, one)
        if not bars:
            end(work, one, desk.clock.now(), "released-first")
            release_first(desk, work, one)
            return True
        if bars == (NOT_RUNG,):
            return False  # rung too late, after an outage: everybody has their time first
        facts = {"step": one.step, "bars": list(bars), "reason": refused.key if refused else ""}
        work.ledger.append(desk.clock.now(), SYSTEM, "escalation.not-released", one.subject, facts)
    begin_again(desk, work, task, one)
    return False
