"""What an act on the roster needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from geowarn.domain.duty import Part, RosterRules, seats
from geowarn.domain.errors import NotFound
from geowarn.domain.people import Role, Shift, User
from geowarn.ports import Clock, Store, UnitOfWork

# Who puts people on duty and decides on swaps.
RULERS = (Role.LEADER, Role.ADMINISTRATOR)
# Who sits in shifts, and so answers, swaps and agrees.
SEATED = (*RULERS, Role.CHIEF, Role.DUTY_OFFICER)


@dataclass(frozen=True, slots=True)
class RosterDesk:
    """The ports of the roster, its rules, and the zone in which people live."""

    store: Store
    clock: Clock
    rules: RosterRules
    zone: ZoneInfo


def find_shift(work: UnitOfWork, shift_id: str) -> Shift:
    """The shift of this id; raises NotFound."""
    found = work.shifts.get(shift_id)
    if found is None:
        raise NotFound("roster.unknown-shift", shift=shift_id[:40])
    return found


def people(work: UnitOfWork) -> Mapping[str, User]:
    """Everyone by account name."""
    return {user.name: user for user in work.users.all()}


def seat_of(shift: Shift, person: str) -> Part | None:
    """Where a person sits in a shift; None when they do not."""
    return next((part for part, name in seats(shift) if name == person), None)


def next_after(work: UnitOfWork, shift: Shift, until: datetime) -> Shift | None:
    """The shift that begins at or after the end of this one, before `until`."""
    later = (other for other in work.shifts.between(shift.end, until) if other.start >= shift.end)
    return next(later, None)


def shift_facts(shift: Shift) -> dict[str, str | None]:
    """A shift as the ledger names it."""
    return {
        "officer": shift.officer,
        "deputy": shift.deputy,
        "leader": shift.leader,
        "start": shift.start.isoformat(),
        "end": shift.end.isoformat(),
    }
