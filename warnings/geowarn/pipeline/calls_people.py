"""People go to places that said nothing: the task about them, and its ringing again for who has it in hand."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from geowarn.domain.calls import UNANSWERED, Call
from geowarn.domain.escalation import Pass
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.calls import counted
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.escalation import begin, end, open_passes, open_task, standing_of, tend
from geowarn.pipeline.escalation_chain import current_shift
from geowarn.pipeline.identifiers import new_id
from geowarn.ports import UnitOfWork

# Places turn one after the other; whoever has just answered is not rung for each of them. A choice of this project.
APART = timedelta(minutes=1)


def to_people(
    work: UnitOfWork, warning_id: str, turned: Collection[Call], calls: Collection[Call], now: datetime
) -> None:
    """The task for the officer on shift; while one is open, further places join it.

    `turned`: those of this moment, `calls`: all of the warning as they stand after it.
    """
    work.ledger.append(now, SYSTEM, "call.turned", warning_id, {"places": counted(turned)})
    facts = {"places": counted(call for call in calls if call.turned_at and call.open)}
    if work.tasks.describe(UNANSWERED, warning_id, facts):
        return
    shift = current_shift(work, now)
    task = Task(new_id("t"), UNANSWERED, warning_id, now, facts=facts, owner=shift.officer if shift else None)
    if work.tasks.open(task):
        work.ledger.append(now, SYSTEM, "task.opened", warning_id, {"kind": UNANSWERED, **facts})


def unheard(work: UnitOfWork, warning_id: str, calls: Collection[Call], now: datetime) -> tuple[Pass, ...]:
    """The passes in the hands of somebody who answered before the last of these places turned; one begins a minute."""
    last = max((call.turned_at for call in calls if call.turned_at and call.open), default=None)
    task = open_task(work, UNANSWERED, warning_id) if last else None
    if task is None or last is None:
        return ()
    held = (one for one in open_passes(work, task.id) if one.started_at + APART <= now)
    return tuple(
        one
        for one in held
        if standing_of(work, one, now).holder and max(a.at for a in work.escalations.answers(one.id)) < last
    )


def ring_again(desk: Desk, work: UnitOfWork, warning_id: str, passes: Collection[Pass], now: datetime) -> None:
    """Ring the whole chain anew: what somebody took in hand has grown since."""
    task = open_task(work, UNANSWERED, warning_id)
    if task is None or not passes:
        return
    for one in passes:
        end(work, one, now, "joined")
        begin(desk, work, task, one.step, one.level)
    tend(work, task, now)
