"""What the store keeps of recipients and of every message to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from geowarn.domain.dispatch import Attempt, Dispatch, DispatchState
from geowarn.domain.recipient import Recipient


@dataclass(frozen=True, slots=True)
class ShardProgress:
    """What is left of one shard."""

    shard: str
    channel: str
    bulletin_id: str
    priority: int


@dataclass(frozen=True, slots=True)
class DispatchGroup:
    """Dispatches of one bulletin that stand alike; `target` only for stations and partners, who each stand alone."""

    channel: str
    target: str
    variant: str
    tier: int
    state: DispatchState
    reason: str
    tried: bool  # at least once
    count: int
    release_at: datetime
    started: datetime | None  # the first call
    answered: datetime | None  # the newest answer


class Dispatches(Protocol):
    """Dispatches of the store."""

    def add_all(self, dispatches: Iterable[Dispatch]) -> None: ...

    def hold(self, ids: Iterable[str], channel: str = "", provider_ids: Iterable[str] = ()) -> None:
        """Keep others off these rows until the end: before whoever settles several reads the first of them.

        `provider_ids` are the far end's, of `channel`.
        """
        ...

    def get(self, dispatch_id: str) -> Dispatch | None: ...

    def of_bulletin(self, bulletin_id: str, channel: str | None = None) -> tuple[Dispatch, ...]: ...

    def counts(self, bulletin_id: str) -> dict[str, dict[DispatchState, int]]:
        """channel -> state -> count."""
        ...

    def groups(self, bulletin_id: str) -> tuple[DispatchGroup, ...]:
        """Where every dispatch of a bulletin stands, counted by the database: a row for each kind, not for each."""
        ...

    def due_shards(self, now: datetime) -> tuple[ShardProgress, ...]:
        """Shards with rows that are new and due, or sending with a lease run out, or in doubt and due; highest
        priority first, then oldest."""
        ...

    def claim(self, shard: str, owner: str, now: datetime, lease_until: datetime, limit: int) -> tuple[Dispatch, ...]:
        """Move up to `limit` due new rows to sending under this owner and return them; a row is claimed once.

        Commit before anything is sent.
        """
        ...

    def expire(self, now: datetime) -> int:
        """new rows past their not-after become expired-unsent; returns how many."""
        ...

    def orphaned(self, now: datetime, limit: int, channel: str | None = None) -> tuple[Dispatch, ...]:
        """sending rows whose lease has run out become in-doubt; returns the in-doubt rows that are due now, of one
        channel where it is named."""
        ...

    def record(self, results: Iterable[tuple[Dispatch, Attempt]]) -> None:
        """Store new states (compare-and-set on owner) and append the attempts, in one statement a kind."""
        ...

    def overtake(self, bulletin_ids: Iterable[str], now: datetime, reason: str) -> int:
        """Unsent rows of these bulletins become expired-unsent; returns how many."""
        ...

    def by_provider_id(self, channel: str, provider_id: str) -> Dispatch | None: ...

    def unsettled(self, bulletin_id: str | None = None) -> int:
        """How many rows are new, sending or in doubt."""
        ...

    def attempts(self, bulletin_id: str) -> tuple[Attempt, ...]: ...

    def sent_again(self, bulletin_ids: Iterable[str]) -> frozenset[str]:
        """Which dispatches of these bulletins had a try of unknown fate and were to be sent once more."""
        ...


class Recipients(Protocol):
    """Recipients of the store."""

    def add_all(self, recipients: Iterable[Recipient]) -> int:
        """Insert or replace by (phone_key, area); returns how many are new."""
        ...

    def all(self) -> tuple[Recipient, ...]: ...

    def by_phone_key(self, phone_key: str) -> tuple[Recipient, ...]: ...

    def opt_out(self, phone_key: str, at: datetime) -> int: ...

    def counts(self) -> dict[tuple[str, str, str], int]:
        """(area, language, role) -> how many have not opted out."""
        ...
