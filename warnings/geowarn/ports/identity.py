"""What the store keeps of second factors, invitations, changes that wait for a second person, others' warnings."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from geowarn.domain.identity import Invitation, OutsideWarning, PendingChange, SecondFactor


class Factors(Protocol):
    """Second factors and recovery codes of the store."""

    def save(self, factor: SecondFactor) -> None: ...

    def get(self, account: str) -> SecondFactor | None:
        """The person's factor; inside a writing unit of work nobody else can use it until the end."""
        ...

    def delete(self, account: str) -> None:
        """Remove the factor and its recovery codes."""
        ...

    def set_recovery(self, account: str, keys: tuple[str, ...]) -> None:
        """Replace the person's recovery codes by new ones."""
        ...

    def burn_recovery(self, account: str, key: str, at: datetime) -> bool:
        """Use a recovery code up; False when there is none such, or it was used already."""
        ...

    def recovery_left(self, account: str) -> int:
        """How many recovery codes are not used yet."""
        ...


class Invitations(Protocol):
    """Invitations of the store."""

    def add(self, invitation: Invitation) -> None:
        """Add one; earlier ones of the same account that were not used end."""
        ...

    def use(self, account: str, key: str, now: datetime) -> bool:
        """Use one up; False when there is none such, it was used, or its time is over."""
        ...

    def open_until(self, now: datetime) -> dict[str, datetime]:
        """By account, until when an invitation can still be used."""
        ...


class PendingChanges(Protocol):
    """Changes that wait for a second person."""

    def save(self, change: PendingChange) -> None: ...

    def get(self, change_id: str) -> PendingChange | None:
        """One change; inside a writing unit of work nobody else can decide it until the end."""
        ...

    def waiting(self) -> tuple[PendingChange, ...]:
        """Those nobody has decided, oldest first."""
        ...


class OutsideWarnings(Protocol):
    """Other issuers' warnings that were entered by hand."""

    def save(self, warning: OutsideWarning) -> None: ...

    def get(self, warning_id: str) -> OutsideWarning | None: ...

    def current(self, now: datetime) -> tuple[OutsideWarning, ...]:
        """Those that have not ended, by whom and when they end."""
        ...
