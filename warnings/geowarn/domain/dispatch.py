"""One message to one target on one channel, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class DispatchState(StrEnum):
    """Closed set of states of a dispatch."""

    NEW = "new"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    IN_DOUBT = "in-doubt"
    EXPIRED_UNSENT = "expired-unsent"


class Outcome(StrEnum):
    """Closed set of outcomes of one try."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


# What may follow what. A late report may still turn accepted into delivered or failed, never back.
TRANSITIONS: dict[DispatchState, frozenset[DispatchState]] = {
    DispatchState.NEW: frozenset({DispatchState.SENDING, DispatchState.EXPIRED_UNSENT}),
    DispatchState.SENDING: frozenset(
        {
            DispatchState.NEW,  # a temporary failure, to be tried again
            DispatchState.ACCEPTED,
            DispatchState.DELIVERED,
            DispatchState.FAILED,
            DispatchState.IN_DOUBT,
            DispatchState.EXPIRED_UNSENT,
        }
    ),
    DispatchState.IN_DOUBT: frozenset(
        {
            DispatchState.NEW,  # the far end says it never had it
            DispatchState.ACCEPTED,
            DispatchState.DELIVERED,
            DispatchState.FAILED,
            DispatchState.EXPIRED_UNSENT,
        }
    ),
    DispatchState.ACCEPTED: frozenset({DispatchState.DELIVERED, DispatchState.FAILED}),
    DispatchState.DELIVERED: frozenset(),
    DispatchState.FAILED: frozenset({DispatchState.DELIVERED}),
    DispatchState.EXPIRED_UNSENT: frozenset(),
}

# Channels whose far end says no more than that it took the message: nobody waits for more, or calls it delivered.
UNREPORTED = frozenset({"webhook", "mail"})

# Why a message of unknown fate is sent once more: nobody could be asked, and a second one is better than none.
SENT_AGAIN = "deliver.sent-again"

# Nothing more will be sent for these.
SETTLED = frozenset(
    {DispatchState.ACCEPTED, DispatchState.DELIVERED, DispatchState.FAILED, DispatchState.EXPIRED_UNSENT}
)


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Identity is bulletin + channel + target key, so it exists once; times in UTC.

    `target_key` is a recipient's keyed hash, a station's name or "public": never a phone number.
    `variant` names the artefact of the bulletin this target gets.
    """

    id: str
    bulletin_id: str
    channel: str
    target_key: str
    variant: str
    tier: int  # 0 people at hazard points, 1 the area, 2 subscribers
    shard: str
    priority: int  # higher goes first: red before yellow, a cancel before its alert
    release_at: datetime
    not_after: datetime
    state: DispatchState = DispatchState.NEW
    attempts: int = 0
    next_try_at: datetime | None = None
    owner: str | None = None
    lease_until: datetime | None = None
    provider_id: str | None = None
    reason: str | None = None
    started_at: datetime | None = None
    accepted_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a dispatch."""

    dispatch_id: str
    began: datetime
    ended: datetime
    outcome: Outcome
    reason: str
    provider_id: str | None = None


def back_off(attempt: int, chance: float) -> timedelta:
    """How long to wait after the `attempt`-th failure (1, 2, …): doubling from 2 s to 5 min with full jitter.

    `chance` in [0, 1) spreads many senders out; at least half of the step is always waited.
    """
    step = min(2.0 * 2 ** (attempt - 1), 300.0)
    return timedelta(seconds=step * (0.5 + 0.5 * chance))
