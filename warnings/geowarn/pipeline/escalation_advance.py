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
from geowarn.pipeline.escalation import REVIEW, begin_again, end, keep_off, open_passes, ring_due, standing_of, tend
from geowarn.pipeline.escalation_chain import current_shift
from geowarn.pipeline.escalation_follow import follow_task, handed_over, waited_for
from geowarn.pipeline.turns import each_in_turn
from geowarn.ports import UnitOfWork

log = logging.getLogger(__name__)


class _NotReleased(Exception):
    """An emergency release that cannot be made; its whole transaction is taken back."""

    def __init__(self, why: Refused) -> None:
        super().__init__(str(why))
        self.why = why


def advance(desk: Desk) -> int:
    """Do what the clock asks for now; returns for how many tasks something was done.

    What goes wrong with one task keeps no other waiting; all of it is raised at the end, and the next tick tries again.
    """
    with desk.store.read() as work:
        known = work.tasks.pending()
        waiting = [task.id for task in known if _may_stir(desk, work, task)]
        waiting += sorted({one.task_id for one in work.escalations.open()} - {task.id for task in known})
    return each_in_turn(waiting, lambda task_id: _have_turn(desk, task_id), "the turn of task")


def _have_turn(desk: Desk, task_id: str) -> None:
    try:
        _turn(desk, task_id, None)
    except _NotReleased as refusal:  # it must not end in silence
        log.error("an emergency release was refused: %s", refusal.why)
        _turn(desk, task_id, refusal.why)


def rings(desk: Desk, task: Task) -> bool:
    """Whether a task of this kind has a clock."""
    return task.kind in (REVIEW, AFTER_REVIEW) or desk.policy.clock.rings(task.kind)


def _may_stir(desk: Desk, work: UnitOfWork, task: Task) -> bool:
    """Whether anything is due for a task, or looking at it fails: its own turn then says at what."""
    try:
        return _stirs(desk, work, task)
    except Exception:
        return True


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
        keep_off(work, task)
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
            try:
                release_first(desk, work, one)
            except Refused as refusal:
                raise _NotReleased(refusal) from refusal
            return True
        if bars == (NOT_RUNG,):
            return False  # rung too late, after an outage: everybody has their time first
        facts = {"step": one.step, "bars": list(bars), "reason": refused.key if refused else ""}
        work.ledger.append(desk.clock.now(), SYSTEM, "escalation.not-released", one.subject, facts)
    begin_again(desk, work, task, one)
    return False
