"""How people come in and prove to be themselves, and what takes two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """A person's code generator (TOTP, RFC 6238): in use once a code has confirmed it.

    `pending` is a secret that no code has confirmed yet; until then the confirmed one, if any, goes on.
    """

    account: str
    secret: bytes | None = None  # sealed; None: nothing confirmed yet
    confirmed_at: datetime | None = None
    last_step: int = 0  # the newest time step a code was taken for: no code counts twice
    pending: bytes | None = None  # sealed
    enrolled_at: datetime | None = None

    @property
    def in_use(self) -> bool:
        """Whether codes of it are asked for and taken."""
        return self.secret is not None and self.confirmed_at is not None


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """A code on paper for the day the generator is lost; used once."""

    account: str
    key: str  # keyed hash of account and code
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A way in for one person, once, until `ends_at`; only a keyed hash of its code is kept."""

    key: str
    account: str
    made_by: str
    made_at: datetime
    ends_at: datetime
    used_at: datetime | None = None


class Outcome(StrEnum):
    """What became of a change that waits for a second person."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A change of rights that one administrator asks for and another one decides."""

    id: str
    kind: str  # "roles" or "enable"
    subject: str  # the account
    wanted: Mapping[str, Any]
    asked_by: str
    asked_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    outcome: Outcome = Outcome.WAITING


@dataclass(frozen=True, slots=True)
class OutsideWarning:
    """A warning that province, county or another office issued, entered by hand: shown beside ours, never as ours."""

    id: str
    issuer: str
    level: str  # as its issuer calls it
    places: str
    said: str
    ends_at: datetime
    entered_by: str
    entered_at: datetime
    ended_by: str | None = None
    ended_at: datetime | None = None
