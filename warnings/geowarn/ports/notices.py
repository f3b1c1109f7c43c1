"""How people on duty are reached, and what the store keeps of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from geowarn.domain.dispatch import DispatchState
from geowarn.domain.notice import Notice
from geowarn.ports.channels import Receipt


class Pager(Protocol):
    """Reaches one person; an enabled channel has one as its member `pager`. No retry, logging or storage inside."""

    timeout_seconds: float  # the longest a call lasts

    def can_be_answered(self, address: str) -> bool:
        """Whether the person at this number can reply to the text."""
        ...

    def takes_links(self, address: str) -> bool:
        """Whether a text with a link in it arrives at this number."""
        ...

    def page(self, address: str, text: str, notice_id: str, not_after: datetime) -> Receipt:
        """Send one text; raises TemporaryFailure, PermanentFailure or OutcomeUnknown.

        The receipt names the provider's id; `notice_id` comes back with reports, nothing arrives after `not_after`.
        """
        ...

    def look_up(self, address: str, text: str, since: datetime) -> Receipt | None:
        """What became of this text sent since then, None when the far end never had it; raises SendFailure."""
        ...


class Notices(Protocol):
    """Notices of the store."""

    def add(self, notice: Notice) -> bool:
        """Add unless there is one of this kind, subject and person; returns whether it was added."""
        ...

    def add_all(self, notices: Iterable[Notice]) -> None:
        """Add many at once, those that are not there."""
        ...

    def get(self, notice_id: str) -> Notice | None: ...

    def by_provider_id(self, provider_id: str) -> Notice | None: ...

    def of_subject(self, subject: str) -> tuple[Notice, ...]:
        """In order of time."""
        ...

    def waiting(self, now: datetime) -> bool:
        """Whether anything is to be sent, asked or given up at this moment."""
        ...

    def claim(self, owner: str, now: datetime, lease_until: datetime, limit: int) -> tuple[Notice, ...]:
        """Move due new rows to sending under this owner; a row is claimed once."""
        ...

    def doubtful(self, owner: str, now: datetime, until: datetime, limit: int) -> tuple[Notice, ...]:
        """Rows whose claim ran out or whose outcome is unknown, given to this owner alone to ask until then."""
        ...

    def settle(self, claimed: Notice, notice: Notice) -> bool:
        """Store the outcome of a claim; False when the row is somebody else's by now."""
        ...

    def report(self, notice_id: str, state: DispatchState, at: datetime, provider_id: str, reason: str | None) -> bool:
        """Store what the far end says later; False when it is no news."""
        ...

    def expire(self, now: datetime) -> tuple[Notice, ...]:
        """New rows past their not-after become expired-unsent; returns them."""
        ...
