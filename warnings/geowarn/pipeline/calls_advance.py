"""The tick of calls: silence calls the next contact, and at its end people go there.

Nothing is remembered between ticks: what is due is worked out from calls, asks and register, so a tick that came
late, twice or after a restart does what the ones before it left undone, and no contact is called twice.
"""

from __future__ import annotations

from datetime import datetime

from geowarn.domain.calls import Call, Due, due
from geowarn.domain.escalation import Pass
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.calls import asked, end_calls
from geowarn.pipeline.calls_people import ring_again, to_people, unheard
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.turns import each_in_turn
from geowarn.ports import UnitOfWork


def advance_calls(desk: Desk) -> int:
    """Do what silence asks for now, each warning in a transaction of its own; returns for how many something was done.

    What goes wrong with one warning keeps no other waiting; all of it is raised at the end.
    """
    with desk.store.read() as work:
        now = desk.clock.now()
        waiting = [name for name in work.calls.waiting() if _stirs(work, name, now)]
    return each_in_turn(waiting, lambda name: _have_turn(desk, name), "the calls of")


def _stirs(work: UnitOfWork, name: str, now: datetime) -> bool:
    return bool(_due(work, name, now) or _over(work, name, now) or _unheard(work, name, now))


def _unheard(work: UnitOfWork, warning_id: str, now: datetime) -> tuple[Pass, ...]:
    return unheard(work, warning_id, work.calls.of_warning(warning_id), now)


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
            to_people(work, warning_id, turned, now)
        end_calls(work, warning_id, _over(work, warning_id, now), now, "validity")
        ring_again(desk, work, warning_id, _unheard(work, warning_id, now), now)
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
