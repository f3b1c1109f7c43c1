"""How often is too often: uses of a public form, counted in our own store by a keyed hash of who uses it.

Names are addresses of a network or of people, so they are kept as hashes only, and no longer than the longest window.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from geowarn.ports import UnitOfWork, Vault

LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many uses under one name within a window, which is never longer than LONGEST."""

    name: str
    most: int
    window: timedelta

    @property
    def minutes(self) -> int:
        """How long somebody who has used it up must wait at most."""
        return int(self.window.total_seconds() // 60)


def counted(work: UnitOfWork, vault: Vault, rates: Iterable[Rate], now: datetime) -> Rate | None:
    """Count one use under every rate, or, where one of them is used up, none; returns the one that is used up.

    Many at once are no way around it: they wait for each other.
    """
    keys = {vault.key_of(f"rate\n{rate.name}")[:32]: rate for rate in rates}
    work.sessions.hold_tries(keys)
    for key, rate in keys.items():
        if work.sessions.failures_since(key, now - rate.window) >= rate.most:
            return rate
    for key in keys:
        work.sessions.note_failure(key, now)
    return None
