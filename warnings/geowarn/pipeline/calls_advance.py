"""The tick of calls: silence calls the next contact, and at its end people go there.

Nothing is remembered between ticks: what is due is worked out from calls, asks and register, so a tick that came
late, twice or after a restart does what the ones before it left undone, and no contact is called twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from geowarn.domain.calls import UNANSWERED, Call, Due, due
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.calls import asked, counted, end_calls
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.escalation_chain import current_shift
from geowarn.pipeline.identifiers import new_id
from geowarn.pipeline.turns import each_in_turn
from geowarn.ports import UnitOfWork


def advance_calls(desk: Desk) -> int:
    """Do what silence asks for now, each warning in a transaction of its own; returns for how many something was done.

    What goes wrong with one warning keeps no other waiting; all of it is raised at the end.
    """
    with desk.store.read() as work:
        now = desk.clock.now()
        waiting = [name for name in work.calls.waiting() if _due(work, name, now) or _over(work, name, now)]
    return each_in_turn(waiting, lambda name: _have_turn(desk, name), "the calls of")


def _due(work: UnitOfWork, warning_id: str, now: datetime) -> list[Due]:
    calls, asks = work.calls.of_warning(warning_id), work.calls.asks(warning_id)
    contacts = work.contacts.numbers({call.place for call in calls if call.open})
    found = (due(call, asks.get(call.id, ()), contacts.get(call.place, ()), now) for call in calls)
    return [one for one in found if one is not None]


def _over(work: UnitOfWork, warning_id: str, now: datetime) -> list[Call]:
    """Those that people go to although the warning's time has passed."""
    return [call for call in work.calls.of_warning(warning_id) if call.open and call.turned_at and call.until <= now]


def _have_turn(desk: Desk, warning_id: str) -> None:
    with desk.store.begin() as work:
        work.warnings.get(warning_id)  # keeps others off until the end
        now = desk.clock.now()
        found = _due(work, warning_id, now)
        found = [one for one in found if one.ask is None or _asks(desk, work, one.call, one.ask, now)]
        turned = [one.call for one in found if one.ask is None]
        work.calls.turn([call.id for call in turned], now)
        for one in found:
            _silence(work, one, now)
        if turned:
            _to_people(work, warning_id, turned, now)
        end_calls(work, warning_id, _over(work, warning_id, now), now, "validity")
        work.commit()


def _asks(desk: Desk, work: UnitOfWork, call: Call, number: int, now: datetime) -> bool:
    """Call the next contact; False where the register has just lost it: the next tick looks again."""
    contact, bulletin = work.contacts.get(call.place, number), work.bulletins.get(call.bulletin_id)
    if contact is None or bulletin is None:
        return False
    return work.calls.ask(asked(desk, work, bulletin, call, contact, now))


def _silence(work: UnitOfWork, one: Due, now: datetime) -> None:
    call = one.call
    facts = {"call": call.id, "area": call.area, "place_kind": call.kind.value, "order": call.asked, "next": one.ask}
    work.ledger.append(now, SYSTEM, "call.silent", call.warning_id, facts)


def _to_people(work: UnitOfWork, warning_id: str, turned: Iterable[Call], now: datetime) -> None:
    """The task for the officer on shift; while one is open, further places join it."""
    places = counted(turned)
    work.ledger.append(now, SYSTEM, "call.turned", warning_id, {"places": places})
    shift = current_shift(work, now)
    facts = {"places": places}
    task = Task(new_id("t"), UNANSWERED, warning_id, now, facts=facts, owner=shift.officer if shift else None)
    if work.tasks.open(task):
        work.ledger.append(now, SYSTEM, "task.opened", warning_id, {"kind": UNANSWERED, **facts})
