"""What the store keeps of partners: keys, their use, answered requests, hooks and what was sent to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from geowarn.domain.partner import ApiKey, Hook, HookDelivery


class ApiKeys(Protocol):
    """Keys of the interface."""

    def save(self, key: ApiKey) -> None:
        """Insert or replace by id."""
        ...

    def get(self, key_id: str) -> ApiKey | None: ...

    def by_token(self, token_sha256: str) -> ApiKey | None: ...

    def all(self) -> tuple[ApiKey, ...]:
        """Newest first, revoked ones included."""
        ...

    def count(self, key_id: str, window: datetime) -> int:
        """Count one use in this window and return how many there are now; all processes share the count."""
        ...

    def touch(self, key_id: str, at: datetime) -> None:
        """Note the last use."""
        ...

    def take_nonce(self, key_id: str, nonce: str, at: datetime, keep_since: datetime) -> bool:
        """Take a nonce once; False when it was used before. Those older than `keep_since` are forgotten."""
        ...


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """One answered request: said again with the same idempotency key it gets the same answer."""

    key_id: str
    idempotency_key: str
    fingerprint: str  # SHA-256 over method, path and body
    at: datetime
    status: int = 0
    location: str = ""
    body_sealed: bytes = field(default=b"", repr=False)  # sealed: an answer may hold a secret that is shown once


class AnsweredRequests(Protocol):
    """Requests that have been answered."""

    def claim(self, request: AnsweredRequest, keep_since: datetime) -> AnsweredRequest | None:
        """Take this idempotency key, or return what was answered to it since `keep_since`.

        Another transaction that claims the same key waits for the end of this one.
        """
        ...

    def answer(self, request: AnsweredRequest) -> None:
        """Keep the answer of a request claimed in this transaction."""
        ...


@dataclass(frozen=True, slots=True)
class HookAttempt:
    """One try of a delivery, for the log."""

    delivery_id: str
    at: datetime
    status: int | None
    milliseconds: int
    fault: str | None


class Hooks(Protocol):
    """Subscriptions and their deliveries."""

    def save(self, hook: Hook) -> None:
        """Insert or replace by id."""
        ...

    def get(self, hook_id: str) -> Hook | None: ...

    def all(self) -> tuple[Hook, ...]:
        """Oldest first."""
        ...

    def advance(self, hook_id: str, cursor: int) -> None:
        """Move the cursor forward; it never goes back."""
        ...

    def mark(self, hook_id: str, failing_since: datetime | None, disabled_at: datetime | None) -> None:
        """Note since when nothing arrives there, and whether it is left alone."""
        ...

    def remove(self, hook_id: str) -> None:
        """Remove it with its deliveries and their log; the ledger keeps that it was there."""
        ...

    def add(self, deliveries: Iterable[HookDelivery]) -> None:
        """Add those whose (hook, event) is not there yet."""
        ...

    def due(self, now: datetime) -> tuple[str, ...]:
        """Hooks, not disabled, with a delivery whose turn it is and that is due or whose lease has run out."""
        ...

    def claim(self, hook_id: str, now: datetime, lease_until: datetime) -> HookDelivery | None:
        """Take the oldest due delivery of this hook; exactly one caller gets it.

        Of one subject they go out in order: a later one waits until every earlier one has arrived or is given up.
        """
        ...

    def claim_one(self, delivery_id: str, now: datetime, lease_until: datetime) -> HookDelivery | None:
        """Take this delivery if nobody has it."""
        ...

    def record(self, delivery: HookDelivery, attempt: HookAttempt) -> None:
        """Store what became of a try, with its line in the log."""
        ...

    def deliveries(self, hook_id: str, limit: int = 50) -> tuple[HookDelivery, ...]:
        """Newest first."""
        ...

    def attempts(self, delivery_id: str) -> tuple[HookAttempt, ...]:
        """In order of time."""
        ...


@dataclass(frozen=True, slots=True)
class HookCall:
    """One request to a hook."""

    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """What came of it: a status, or the catalogue key of what was in the way."""

    status: int | None
    fault: str | None = None


# Carries one call out of the machine, bounded in time and size, never following a redirect.
HookPost = Callable[[HookCall], HookAnswer]
