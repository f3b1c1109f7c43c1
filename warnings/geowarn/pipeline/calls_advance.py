"""The tick of calls: silence calls the next contact, and at its end people go there.

Nothing is remembered between ticks: what is due is worked out from calls, asks and register, so a tick that came
late, twice or after a restart does what the ones before it left undone, and no contact is called twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from geowarn.domain.calls import Call, CallState, Due, due
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.calls import asked, counted, end_calls
from geowarn.pipeline.calls_people import ring_again, to_people, unheard
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.turns import each_in_turn
from geowarn.ports import UnitOfWork

AT_ONCE = 200  # contacts called in one transaction, which keeps others off the warning and the ledger


def advance_calls(desk: Desk) -> int:
    """Do what silence asks for now, each warning by itself; returns for how many something was done.

    What goes wrong with one warning keeps no other waiting; all of it is raised at the end.
    """
    with desk.store.read() as work:
        now = desk.clock.now()
        waiting = [name for name in work.calls.waiting() if _stirs(work, name, now)]
    return each_in_turn(waiting, lambda name: _have_turn(desk, name), "the calls of")


def _stirs(work: UnitOfWork, warning_id: str, now: datetime) -> bool:
    calls = work.calls.of_warning(warning_id)
    return bool(_due(work, warning_id, calls, now) or _over(calls, now) or unheard(work, warning_id, calls, now))


def _due(work: UnitOfWork, warning_id: str, calls: Iterable[Call], now: datetime) -> list[Due]:
    calling = [call for call in calls if call.state is CallState.CALLING]
    if not calling:
        return []
    asks, contacts = work.calls.asks(warning_id), work.contacts.numbers({call.place for call in calling})
    found = (due(call, asks.get(call.id, ()), contacts.get(call.place, ()), now) for call in calling)
    return [one for one in found if one is not None]


def _over(calls: Iterable[Call], now: datetime) -> list[Call]:
    """Those that people go to although the warning's time has passed."""
    return [call for call in calls if call.open and call.turned_at and call.until <= now]


def _have_turn(desk: Desk, warning_id: str) -> None:
    """All that is due for a warning; others who wait for it come in between."""
    while _turn(desk, warning_id):
        pass


def _turn(desk: Desk, warning_id: str) -> bool:
    """One transaction of it; returns whether contacts are left to be called."""
    with desk.store.begin() as work:
        work.warnings.get(warning_id)  # keeps others off until the end
        now = desk.clock.now()
        found = _due(work, warning_id, work.calls.of_warning(warning_id), now)
        turned = [one.call for one in found if one.ask is None]
        following = [one for one in found if one.ask is not None]
        called = _ask(desk, work, following[:AT_ONCE], now)
        work.calls.turn([call.id for call in turned], now)
        if called or turned:
            facts = {"places": counted([*called, *turned]), "asked": len(called), "turned": len(turned)}
            work.ledger.append(now, SYSTEM, "call.silent", warning_id, facts)
        calls = work.calls.of_warning(warning_id)
        if turned:
            to_people(work, warning_id, turned, calls, now)
        if over := _over(calls, now):
            end_calls(work, warning_id, over, now, "validity")
        ring_again(desk, work, warning_id, unheard(work, warning_id, calls, now), now)
        work.commit()
    return bool(called) and len(following) > AT_ONCE


def _ask(desk: Desk, work: UnitOfWork, found: Collection[Due], now: datetime) -> list[Call]:
    """Call the next contacts; returns the calls of those that the register still has: the next tick looks again."""
    if not found:
        return []
    contacts = work.contacts.of({one.call.place for one in found})
    bulletins = {name: work.bulletins.get(name) for name in {one.call.bulletin_id for one in found}}
    told = []
    for one in found:
        contact, bulletin = contacts.get((one.call.place, one.ask or 0)), bulletins[one.call.bulletin_id]
        if contact is not None and bulletin is not None:
            told.append((one.call, *asked(desk, bulletin, one.call, contact, now)))
    new = work.calls.ask([ask for _, ask, _ in told])
    told = [(call, ask, notice) for call, ask, notice in told if (ask.call_id, ask.number) in new]
    work.notices.add_all(notice for _, _, notice in told)
    return [call for call, _, _ in told]
