"""What slows down someone who guesses passwords: one name again and again, or a list of names from one place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from geowarn.domain.canonical import sha256_hex
from geowarn.domain.errors import Refused
from geowarn.ports import Store, UnitOfWork

WINDOW = timedelta(minutes=15)
LONGEST_WAIT = 30  # seconds


@dataclass(frozen=True, slots=True)
class Limit:
    """How often is too often: `free` failures without waiting, `most` within the window."""

    free: int
    most: int


HERE = Limit(3, 10)  # one name from one place
ANYWHERE = Limit(100, 100)  # one name from everywhere: high, so that a stranger cannot lock the officer out at night
PLACE = Limit(15, 60)  # any names from one place: an office shares one address, so a few slips are free


def _keys(name: str, origin: str) -> dict[str, Limit]:
    """Digests, because people type passwords into the field for the name."""
    return {
        sha256_hex(f"log-in\n{name}\n{origin}")[:32]: HERE,
        sha256_hex(f"log-in\n{name}")[:32]: ANYWHERE,
        sha256_hex(f"log-in from\n{origin}")[:32]: PLACE,
    }


def _refuse_haste(work: UnitOfWork, key: str, limit: Limit, now: datetime) -> None:
    failures = work.sessions.failures_since(key, now - WINDOW)
    if failures >= limit.most:
        raise Refused("web.locked", minutes=int(WINDOW.total_seconds() // 60))
    if failures >= limit.free:
        wait = min(2 ** (failures - limit.free + 1), LONGEST_WAIT)
        if work.sessions.failures_since(key, now - timedelta(seconds=wait)):
            raise Refused("web.wait", seconds=wait)


def count_try(store: Store, name: str, origin: str, now: datetime) -> tuple[int, ...]:
    """Count a try before it is looked at, so that many at once are no way around; returns the notes to take back.

    Raises Refused where there were too many.
    """
    with store.begin() as work:
        keys = _keys(name, origin)
        work.sessions.hold_tries(keys)
        for key, limit in keys.items():
            _refuse_haste(work, key, limit, now)
        notes = tuple(work.sessions.note_failure(key, now) for key in keys)
        work.commit()
    return notes


def take_back(work: UnitOfWork, notes: tuple[int, ...]) -> None:
    """The try was right."""
    for note in notes:
        work.sessions.forget_failure(note)
