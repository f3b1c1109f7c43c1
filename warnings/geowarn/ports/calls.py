"""Who must answer when a warning goes out, and whether they did: what the store keeps of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from geowarn.domain.calls import Call, CallAsk, CallKind, CallTally, Contact, Via


class Contacts(Protocol):
    """The register of places and their numbers."""

    def replace_all(self, contacts: Iterable[Contact]) -> None:
        """Let the register hold exactly these."""
        ...

    def all(self) -> tuple[Contact, ...]:
        """In order of county, kind, place and number."""
        ...

    def first(self) -> tuple[Contact, ...]:
        """The contact of each place that is called first."""
        ...

    def of(self, places: Collection[str]) -> Mapping[tuple[str, int], Contact]:
        """The contacts of these places, by place and number."""
        ...

    def get(self, place: str, number: int) -> Contact | None: ...

    def numbers(self, places: Collection[str]) -> Mapping[str, tuple[int, ...]]:
        """The order numbers of the contacts of these places."""
        ...

    def registered(self) -> Mapping[tuple[str, CallKind], int]:
        """How many places by county and kind."""
        ...


class Calls(Protocol):
    """Calls and whom they asked; whoever writes holds the warning, so that one of two answers counts."""

    def add(self, calls: Iterable[Call], asks: Iterable[CallAsk]) -> None:
        """Add calls with their first asks."""
        ...

    def get(self, call_id: str) -> Call | None: ...

    def waiting(self) -> tuple[str, ...]:
        """The warnings with calls that nobody has answered and that have not ended."""
        ...

    def of_warning(self, warning_id: str, county: str | None = None) -> tuple[Call, ...]:
        """Those that have not ended, the highest level first, by county, kind and name."""
        ...

    def asks(self, warning_id: str) -> Mapping[str, tuple[CallAsk, ...]]:
        """Whom the calls of a warning that have not ended asked, by call, in order."""
        ...

    def asked_of(self, phone_key: str, now: datetime) -> tuple[Call, ...]:
        """The calls that this number was asked about, that nobody has answered, and whose warning still stands."""
        ...

    def ask(self, asks: Iterable[CallAsk]) -> Collection[tuple[str, int]]:
        """Note that contacts are called, one of each call; returns call and number of those not called before."""
        ...

    def fail(self, call_id: str, number: int, at: datetime) -> None:
        """Note that the text to a contact cannot arrive."""
        ...

    def answer(self, call_id: str, at: datetime, via: Via, recorded_by: str, said_by: bytes | None) -> bool:
        """Note the answer of an open call; False when it is not open."""
        ...

    def turn(self, call_ids: Collection[str], at: datetime) -> None:
        """Turn calls to people."""
        ...

    def end(self, call_ids: Collection[str], at: datetime) -> None:
        """End calls."""
        ...

    def prolong(self, warning_id: str, until: datetime) -> None:
        """Let the calls of a warning that have not ended last until another moment."""
        ...

    def forget_unregistered(self) -> int:
        """Forget numbers that the register no longer holds, and who answered where one was called.

        Returns of how many calls something was forgotten.
        """
        ...

    def forget_before(self, moment: datetime) -> int:
        """Forget the numbers and names of calls that were over by this moment; returns how many had any."""
        ...

    def tally(self, warning_id: str, bulletin_id: str | None = None) -> tuple[CallTally, ...]:
        """Counts of those that have not ended; with a bulletin, of all that it made."""
        ...
