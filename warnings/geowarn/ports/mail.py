"""What the store keeps of subscriptions by mail, and what carries a letter to one person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from geowarn.domain.subscriber import Asked, Subscriber
from geowarn.ports.channels import Receipt
from geowarn.ports.notices import Notices


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to one person that is no bulletin; both parts say the same, its id makes a repeat recognisable."""

    id: str
    address: str = field(repr=False)
    language: str
    subject: str
    text: str = field(repr=False)  # holds a link that opens something
    html: str = field(repr=False)
    written_at: datetime


class Postman(Protocol):
    """Carries letters; an enabled channel has one as its member `postman`. No retry, logging or storage inside."""

    timeout_seconds: float  # the longest a call lasts

    def carry(self, letter: Letter) -> Receipt:
        """Hand one letter over; raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        ...


class Subscribers(Protocol):
    """Subscribers of the store."""

    def save(self, subscriber: Subscriber) -> None:
        """Insert, or replace by id."""
        ...

    def save_all(self, subscribers: Iterable[Subscriber]) -> int:
        """Insert, or replace what is known by the same address, which keeps its id; returns how many are new."""
        ...

    def all(self) -> tuple[Subscriber, ...]: ...

    def get(self, subscriber_id: str) -> Subscriber | None: ...

    def by_key(self, address_key: str) -> Subscriber | None: ...

    def remove(self, subscriber_id: str) -> bool:
        """Delete the row with its address; returns whether there was one."""
        ...

    def counts(self) -> dict[tuple[str, str, str], int]:
        """(role, language, lowest level) -> how many."""
        ...

    def ask(self, asked: Asked) -> None:
        """Keep what somebody asked for until it is confirmed or expires."""
        ...

    def asked(self, token_sha256: str) -> Asked | None: ...

    def answered(self, address_key: str) -> None:
        """Delete everything that was asked for this address."""
        ...

    def forget(self, asked_before: datetime, settled_before: datetime) -> int:
        """Delete what was asked and expired before the one moment, and letters settled before the other.

        Returns how many.
        """
        ...


class Letters(Notices, Protocol):
    """Letters on their way, as notices are; `person` is the handle of what was asked."""
