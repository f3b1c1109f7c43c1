"""换班: somebody takes over a seat for a time; the taker agrees, a leader decides, the shift is parted where needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from geowarn.domain.duty import ROLES_OF, Part, Swap, SwapState, seats
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.people import Shift
from geowarn.domain.roster import taken_over
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.propose import new_id
from geowarn.pipeline.roster import keep
from geowarn.pipeline.roster_desk import RULERS, SEATED, RosterDesk, find_shift, seat_of, shift_facts
from geowarn.ports import UnitOfWork


def ask_swap(
    desk: RosterDesk,
    actor: Actor,
    shift_id: str,
    part: Part,
    taker: str,
    reason: str,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Swap:
    """Ask that somebody take over a seat, for the whole shift or part of it; past time cannot be taken over.

    Whoever gives or takes the seat may ask. A leader or administrator decides by asking (an override).
    """
    actor.need_somewhere(*SEATED)
    with desk.store.begin() as work:
        now = desk.clock.now()
        shift = find_shift(work, shift_id)
        first, last = max(start or shift.start, now if shift.start <= now else shift.start), end or shift.end
        giver = dict(seats(shift)).get(part, "")
        _refuse_unsuitable(work, shift, part, giver, taker, first, last, now)
        if not reason.strip():
            raise Refused("roster.swap-reason")
        rules = bool(actor.roles_over(work, ()).intersection(RULERS))  # a leader of one county rules no roster
        if not rules and actor.user.name not in (giver, taker):
            raise Refused("roster.swap-others", user=actor.user.name)
        swap = Swap(new_id("sw"), shift.id, part, giver, taker, first, last, reason.strip()[:200], actor.user.name, now)
        agreed = rules or actor.user.name == taker
        swap = replace(swap, state=SwapState.AGREED if agreed else SwapState.ASKED, agreed_at=now if agreed else None)
        work.ledger.append(now, actor.label, "swap.asked", shift.id, _facts(swap))
        work.roster.save_swap(swap)
        if rules and actor.user.name not in (giver, taker):
            swap = _carry_out(work, swap, actor, now)
        work.commit()
    return swap


def _refuse_unsuitable(
    work: UnitOfWork, shift: Shift, part: Part, giver: str, taker: str, start: datetime, end: datetime, now: datetime
) -> None:
    if not find_user(work, taker).roles & ROLES_OF[part]:
        roles = ", ".join(sorted(role.value for role in ROLES_OF[part]))
        raise Refused("roster.no-role", user=taker, roles=roles)
    if taker == giver or not shift.start <= start < end <= shift.end or end <= now:
        raise Refused("roster.swap-time", shift=shift.id, start=shift.start.isoformat(), end=shift.end.isoformat())
    if seat_of(shift, taker) is Part.OFFICER and not giver:
        raise Refused("roster.swap-empties", user=taker, shift=shift.id)
    for other in work.shifts.between(start, end):
        if other.id != shift.id and seat_of(other, taker) is not None:
            raise Refused("roster.swap-busy", user=taker, shift=other.id)


def agree(desk: RosterDesk, swap_id: str, actor: Actor) -> Swap:
    """The person who shall take over agrees; a leader still decides."""
    actor.need_somewhere(*SEATED)
    with desk.store.begin() as work:
        now = desk.clock.now()
        swap = _open(work, swap_id, SwapState.ASKED)
        if actor.user.name != swap.taker:
            raise Refused("roster.swap-not-yours", user=actor.user.name, taker=swap.taker)
        agreed = replace(swap, state=SwapState.AGREED, agreed_at=now)
        work.roster.save_swap(agreed)
        work.ledger.append(now, actor.label, "swap.agreed", swap.shift, _facts(agreed))
        work.commit()
    return agreed


def decide(desk: RosterDesk, swap_id: str, actor: Actor, approve: bool) -> Swap:
    """A leader or administrator, not one of the two themselves, approves or refuses; the taker may refuse as well."""
    actor.need_somewhere(*(RULERS if approve else SEATED))
    with desk.store.begin() as work:
        now = desk.clock.now()
        swap = _open(work, swap_id, SwapState.AGREED, SwapState.ASKED)
        if approve or actor.user.name not in (swap.taker, swap.asked_by):
            actor.need(*RULERS)
        if approve and actor.user.name in (swap.giver, swap.taker):
            raise Refused("roster.swap-own", user=actor.user.name)
        if approve and swap.state is SwapState.ASKED:
            raise Refused("roster.swap-unagreed", taker=swap.taker)
        if approve:
            swap = _carry_out(work, swap, actor, now)
        else:
            swap = replace(swap, state=SwapState.REFUSED, decided_by=actor.user.name, decided_at=now)
            work.roster.save_swap(swap)
            work.ledger.append(now, actor.label, "swap.refused", swap.shift, _facts(swap))
        work.commit()
    return swap


def _open(work: UnitOfWork, swap_id: str, *states: SwapState) -> Swap:
    found = work.roster.swap(swap_id)
    if found is None:
        raise NotFound("roster.unknown-swap", swap=swap_id[:40])
    if found.state not in states:
        raise Refused("roster.swap-over", swap=found.id)
    return found


def _carry_out(work: UnitOfWork, swap: Swap, actor: Actor, now: datetime) -> Swap:
    """Part the shift; refused when it changed since the question, or its time has run away."""
    shift = find_shift(work, swap.shift)
    if dict(seats(shift)).get(swap.part, "") != swap.giver:
        raise Refused("roster.swap-changed", shift=shift.id)
    start = max(swap.start, now) if shift.start <= now else swap.start
    _refuse_unsuitable(work, shift, swap.part, swap.giver, swap.taker, start, swap.end, now)
    pieces = taken_over(shift, swap.part, swap.taker, start, swap.end, lambda: new_id("sh"))
    for piece in pieces:
        keep(work, piece, shift if piece.id == shift.id else None, actor.label, now)
    done = replace(swap, state=SwapState.DONE, decided_by=actor.user.name, decided_at=now, start=start)
    work.roster.save_swap(done)
    facts = _facts(done) | {"pieces": [{"id": piece.id, **shift_facts(piece)} for piece in pieces]}
    work.ledger.append(now, actor.label, "swap.done", shift.id, facts)
    return done


def _facts(swap: Swap) -> dict[str, object]:
    return {
        "swap": swap.id,
        "part": swap.part.value,
        "giver": swap.giver,
        "taker": swap.taker,
        "start": swap.start.isoformat(),
        "end": swap.end.isoformat(),
        "reason": swap.reason,
    }
