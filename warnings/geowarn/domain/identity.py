"""What a person proves to be themselves with, beside the password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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
