"""What every step may ask for: the time, wording, secrets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol


class Clock(Protocol):
    """Where `now` comes from."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        ...


class Templates(Protocol):
    """Pre-approved wording: the operator's `templates/` first, then the shipped ones."""

    def render(self, name: str, /, **values: Any) -> str:
        """Render one template file, for example `sms/alert.zh.txt.j2`; an undefined name raises."""
        ...

    def digest(self, folder: str) -> str:
        """SHA-256 over every template file of one folder, the operator's and the shipped ones."""
        ...


class Vault(Protocol):
    """Keeps phone numbers from everyone but the channel that sends."""

    def seal(self, text: str) -> bytes:
        """Encrypt; the same text gives different bytes each time."""
        ...

    def open(self, sealed: bytes) -> str:
        """Decrypt what `seal` made; raises Refused when the key does not fit."""
        ...

    def seal_bytes(self, body: bytes) -> bytes:
        """`seal` for what is no text."""
        ...

    def open_bytes(self, sealed: bytes) -> bytes:
        """`open` for what `seal_bytes` made."""
        ...

    def key_of(self, text: str) -> str:
        """Keyed hash (HMAC-SHA256, hexadecimal): equal for equal texts, useless without the key."""
        ...


# Makes a password into what may be stored.
PasswordHasher = Callable[[str], str]
