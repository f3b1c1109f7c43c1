"""What taking in warnings of other issuers needs: who reads, checks, fetches and keeps their messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from geowarn.domain.companion import AlertKey
from geowarn.domain.issuers import Feed, IssuedMessage, Issuer, Refusal, Taken


@dataclass(frozen=True, slots=True)
class Verified:
    """What a signature covers, byte for byte as it was signed, and the SHA-256 fingerprint of whose it is."""

    body: bytes
    fingerprint: str


class MessageVerifier(Protocol):
    """Entry point `geowarn.verifiers`: the pinned schema of CAP 1.2, and XML signatures."""

    name: str

    def fingerprint(self, pem: bytes) -> str:
        """SHA-256 of a certificate in PEM, hexadecimal; raises ValueError where it is none, or its key is unfit."""
        ...

    def schema_faults(self, body: bytes) -> tuple[str, ...]:
        """What the schema finds wrong with a CAP 1.2 message, one line each."""
        ...

    def verify(self, body: bytes, certificates: Sequence[bytes], sent: datetime) -> Verified | None:
        """The part that one of these certificates, valid when it was sent, has signed; None where none has."""
        ...


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A message that was read, and the fingerprint of who signed it; empty where nothing was checked."""

    message: IssuedMessage
    signed_by: str


class IssuedReader(Protocol):
    """Reads CAP messages of other issuers."""

    def read(self, data: bytes, file_name: str, issuer: Issuer) -> ReadMessage:
        """The message; raises Refused naming file, line, field, value and what to do."""
        ...


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A message that a feed names; `mark` changes where the feed says that the message did."""

    address: str
    mark: str
    sound: bool = True  # False: the address is none, and is never asked


class FeedReader(Protocol):
    """Reads RSS and Atom feeds of CAP messages."""

    def links(self, data: bytes, address: str, hosts: Sequence[str]) -> tuple[FeedLink, ...]:
        """The messages it names, in its order; raises Refused for a feed that is none, or that leads elsewhere."""
        ...


@dataclass(frozen=True, slots=True)
class Brought:
    """An answer: its body, None where nothing changed, and what to tell the far end next time."""

    body: bytes | None
    known: Mapping[str, str] = field(default_factory=dict)


class Carrier(Protocol):
    """Fetches feeds and messages over the network."""

    def get(
        self, issuer: Issuer, addresses: Sequence[tuple[str, Mapping[str, str]]], once: bool = False
    ) -> Sequence[Brought | Exception]:
        """Each address with what is known of it, one after the other within the issuer's limits; never raises.

        With `once` each is tried a single time, in its share of the time; where that is over, the last have no answer.
        """
        ...


# Makes a carrier; the argument waits so many seconds and says whether the program is to stop.
CarrierMaker = Callable[[Callable[[float], bool]], Carrier]


class Issued(Protocol):
    """Other issuers' feeds and messages in the store."""

    def feeds(self) -> tuple[Feed, ...]:
        """Every feed that was ever configured, by name."""
        ...

    def feed(self, name: str) -> Feed | None: ...

    def save_feed(self, feed: Feed) -> None:
        """Insert or replace by name."""
        ...

    def marks(self, issuer: str) -> Mapping[str, str]:
        """Address to mark of what was fetched through a feed."""
        ...

    def save_marks(self, issuer: str, marks: Mapping[str, str], now: datetime) -> None:
        """Insert or replace by address."""
        ...

    def forget_marks(self, issuer: str, before: datetime | None = None) -> None:
        """Forget what was fetched, all of it or what the feed has not named since `before`."""
        ...

    def get(self, message_id: str) -> Taken | None: ...

    def add(self, message: Taken) -> None:
        """Keep a message that is not kept yet."""
        ...

    def end(self, message_ids: Sequence[str], by: str) -> tuple[str, ...]:
        """Mark those of them that are kept and still stand as ended by another; returns which."""
        ...

    def refer(self, message_id: str, names: Sequence[AlertKey]) -> None:
        """Note which messages this one replaces or cancels, kept or not."""
        ...

    def referring(self, message_id: str) -> str:
        """The message that replaces or cancels this one; empty where none does."""
        ...

    def same_identifier(self, sender: str, identifier: str) -> tuple[Taken, ...]:
        """Messages of one sender and identifier, whatever their `sent`."""
        ...

    def recent(self, since: datetime) -> tuple[Taken, ...]:
        """Messages whose end is after `since`, newest sent first."""
        ...

    def standing(self, since: datetime, drawn: bool = False) -> tuple[Taken, ...]:
        """Those of them that may still hold and concern us (`Taken.told`); outlines only where they are `drawn`."""
        ...

    def load(self, issuer: str, since: datetime) -> tuple[int, tuple[str, ...]]:
        """How many messages and refusals a feed has written since, and the payloads that are kept of them."""
        ...

    def latest(self, issuer: str, limit: int) -> tuple[Taken, ...]:
        """The messages of one feed that came last, newest received first."""
        ...

    def refuse(self, refusal: Refusal) -> bool:
        """Note a refusal; False where this file was refused for this reason before."""
        ...

    def refusals(self, issuer: str, limit: int = 50) -> tuple[Refusal, ...]:
        """Newest first."""
        ...

    def saw_refusals(self, issuer: str, now: datetime, who: str) -> int:
        """Somebody has looked at those nobody had; returns how many."""
        ...
