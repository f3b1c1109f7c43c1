"""Partners who do not sit at the console: what their keys may do, and what they are told by a hook."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class Scope(StrEnum):
    """What a key may do; roles and areas of its account bound it further."""

    READ = "read"  # what is public, and counts
    INTERNAL = "internal"  # what is not public: below the public level, exercises, proposals, signatures, assessments
    PROPOSE = "propose"
    COSIGN = "cosign"
    RECEIPTS = "receipts"
    WEBHOOKS = "webhooks"


# A key of a person acts as that person; a key of a named partner reads, and speaks of its own targets only.
OF_ACCOUNTS = frozenset({Scope.READ, Scope.INTERNAL, Scope.PROPOSE, Scope.COSIGN, Scope.WEBHOOKS})
OF_PARTNERS = frozenset({Scope.READ, Scope.RECEIPTS, Scope.WEBHOOKS})

PREFIX = "gwk_"  # what every key begins with, so that scanners for leaked secrets find it
SHOWN = len(PREFIX) + 6  # characters by which people tell keys apart; 220 bits stay unknown
PARTNER_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key; the store holds the SHA-256 of its token.

    A plain digest is enough, unlike for passwords: a token is 256 random bits, which nobody can guess through however
    fast the digest is. `signing_sealed` is the second secret that a co-signature is made with.
    """

    id: str
    prefix: str  # the first SHOWN characters of the token
    token_sha256: str
    owner: str  # an account's or a partner's name
    of_account: bool
    scopes: frozenset[Scope]
    per_minute: int
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    signing_sealed: bytes | None = field(default=None, repr=False)
    confirmed_at: datetime | None = None  # None: a second administrator has yet to confirm it

    def works(self, now: datetime) -> bool:
        """Whether it opens anything at `now`."""
        running = self.expires_at is None or now < self.expires_at
        return self.confirmed_at is not None and self.revoked_at is None and running


class Event(StrEnum):
    """What a hook may be told."""

    RELEASED = "bulletin.released"
    UPDATED = "bulletin.updated"
    ENDED = "warning.ended"
    SETTLED = "dispatches.settled"
    PROPOSED = "proposal.opened"
    SIGNED = "proposal.signed"
    TASK = "task.opened"
    PING = "ping"  # the test button's, asked for by nobody


PUBLIC_EVENTS = frozenset({Event.RELEASED, Event.UPDATED, Event.ENDED, Event.SETTLED})
INTERNAL_EVENTS = frozenset({Event.PROPOSED, Event.SIGNED, Event.TASK})


@dataclass(frozen=True, slots=True)
class Hook:
    """One subscription; `cursor` is the ledger sequence up to which its deliveries have been derived."""

    id: str
    owner: str
    of_account: bool
    url: str
    events: frozenset[Event]
    internal: bool  # may be told what is not public
    live: bool  # real people read it: no exercise and nothing synthetic goes there
    created_at: datetime
    created_by: str
    cursor: int
    secret_sealed: bytes = field(repr=False)
    failing_since: datetime | None = None
    disabled_at: datetime | None = None
    enabled_at: datetime | None = None  # when a person last switched it on again


class DeliveryState(StrEnum):
    """Closed set of states of a delivery to a hook."""

    NEW = "new"
    SENDING = "sending"
    DELIVERED = "delivered"
    GIVEN_UP = "given-up"


@dataclass(frozen=True, slots=True)
class HookDelivery:
    """One event for one hook; (`hook_id`, `event_key`) exists once, so deriving it again changes nothing."""

    id: str
    hook_id: str
    event_key: str
    event: Event
    body: str  # canonical JSON, the same bytes in every try
    created_at: datetime
    position: int = 0  # of the ledger entry it tells of: what is due goes out in this order
    state: DeliveryState = DeliveryState.NEW
    attempts: int = 0
    next_try_at: datetime | None = None
    lease_until: datetime | None = None
    status: int | None = None  # what the far end last answered; None: nothing
    milliseconds: int | None = None
    fault: str | None = None  # why the last try failed, as a key of the catalogue
    subject: str = ""  # the warning it tells of: what came later of the same one waits until this is settled


def signature(secret: str, at: int, body: bytes) -> str:
    """`t=<seconds>,v1=<HMAC-SHA256 over "<seconds>.<body>">`: what every outgoing request carries."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def call_digest(secret: str, method: str, path: str, at: int, nonce: str, body: bytes) -> str:
    """HMAC-SHA256 over method, path, seconds, nonce and the body's SHA-256, one a line: how a call is signed."""
    lines = "\n".join([method.upper(), path, str(at), nonce, hashlib.sha256(body).hexdigest()])
    return hmac.new(secret.encode(), lines.encode(), hashlib.sha256).hexdigest()


def hook_back_off(attempt: int, chance: float) -> timedelta:
    """Doubling from 5 s to an hour with jitter: at least half of the step is always waited."""
    step = min(5.0 * 2 ** (min(attempt, 20) - 1), 3600.0)
    return timedelta(seconds=step * (0.5 + 0.5 * chance))


def release_event(act: str) -> Event:
    """What the release of a bulletin with this act is called outside."""
    found: Mapping[str, Event] = {"issue": Event.RELEASED, "update": Event.UPDATED, "extend": Event.UPDATED}
    return found.get(act, Event.ENDED)


def event_body(
    event: Event, event_key: str, at: str, subject: str, exercise: bool, data: Mapping[str, Any]
) -> dict[str, Any]:
    """The document a hook gets; `id` is the same for every hook and every repeat."""
    return {
        "id": event_key,
        "event": event.value,
        "at": at,
        "subject": subject,
        "exercise": exercise,
        "data": dict(data),
    }
