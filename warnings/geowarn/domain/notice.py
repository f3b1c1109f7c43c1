"""One message to one person on duty, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from geowarn.domain.dispatch import DispatchState

LANGUAGES = ("zh", "en")

# Facts that open something: sent, and then taken out of the row.
SECRET_FACTS = frozenset({"code"})

# A later report counts only when it ranks higher; it may come repeatedly, and in any order.
RANK = {
    DispatchState.NEW: 0,
    DispatchState.EXPIRED_UNSENT: 0,
    DispatchState.SENDING: 0,
    DispatchState.IN_DOUBT: 0,
    DispatchState.ACCEPTED: 1,
    DispatchState.FAILED: 2,
    DispatchState.DELIVERED: 3,
}


@dataclass(frozen=True, slots=True)
class Notice:
    """(`kind`, `subject`, `person`) exists once; the text is made from `facts` when it is sent.

    `alarm`: where nobody can say whether it arrived, a second one is better than none. `settled_at` is set when
    nothing more will be sent or asked. The states are those of a dispatch.
    """

    id: str
    kind: str
    subject: str
    person: str
    language: str
    facts: Mapping[str, Any] = field(repr=False)  # may hold a code
    created_at: datetime
    not_after: datetime
    alarm: bool = True
    state: DispatchState = DispatchState.NEW
    attempts: int = 0
    next_try_at: datetime | None = None
    owner: str | None = None
    lease_until: datetime | None = None
    provider_id: str | None = None
    reason: str | None = None
    started_at: datetime | None = None
    settled_at: datetime | None = None


def without_secrets(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that may stay after the notice was sent."""
    return {name: value for name, value in facts.items() if name not in SECRET_FACTS}
