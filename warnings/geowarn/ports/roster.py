"""What the store keeps of confirmations, swaps and hand-overs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from geowarn.domain.duty import Ask, Handover, Swap


class Roster(Protocol):
    """Around the shifts of the store."""

    def add_ask(self, ask: Ask) -> bool:
        """Add unless this person was asked about this shift so many hours before; returns whether it was added."""
        ...

    def save_ask(self, ask: Ask) -> None: ...

    def asks(self, shifts: Iterable[str]) -> tuple[Ask, ...]:
        """Of these shifts, in order of time."""
        ...

    def asked(self, person: str) -> tuple[Ask, ...]:
        """Of one person, newest first."""
        ...

    def save_swap(self, swap: Swap) -> None: ...

    def swap(self, swap_id: str) -> Swap | None: ...

    def swaps(self, since: datetime) -> tuple[Swap, ...]:
        """Those whose time ends after then, in the order asked."""
        ...

    def save_handover(self, handover: Handover) -> None: ...

    def handover(self, handover_id: str) -> Handover | None: ...

    def handovers(self, limit: int) -> tuple[Handover, ...]:
        """Newest first."""
        ...
