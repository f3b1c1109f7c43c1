"""What the store keeps of accounts, sessions and shifts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from geowarn.domain.people import Shift, User


class Users(Protocol):
    """Users of the store."""

    def save(self, user: User) -> None: ...

    def get(self, name: str) -> User | None: ...

    def held(self, name: str) -> User | None:
        """`get` for whoever changes the account: nobody else does until the end."""
        ...

    def all(self) -> tuple[User, ...]: ...


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser; the cookie holds a random token, the store its SHA-256."""

    token_sha256: str
    user: str
    form_token: str
    opened_at: datetime
    seen_at: datetime
    ends_at: datetime
    origin: str = ""  # network address it was opened from
    browser: str = ""  # as the browser named itself, shortened
    waits_for_code: bool = False  # the password was right; no page opens before the second factor

    @property
    def handle(self) -> str:
        """What a page calls the session by: useless as a token."""
        return self.token_sha256[:16]


class Sessions(Protocol):
    """Sessions of the store."""

    def save(self, session: Session) -> None: ...

    def get(self, token_sha256: str) -> Session | None: ...

    def delete(self, token_sha256: str) -> None: ...

    def all(self) -> tuple[Session, ...]: ...

    def delete_of(self, user: str) -> int: ...

    def delete_ended(self, before: datetime) -> None: ...

    def hold_tries(self, keys: Iterable[str]) -> None:
        """Let one at a time count tries under any of these keys."""
        ...

    def note_failure(self, user: str, at: datetime) -> int:
        """Note a failed try; returns the note's number."""
        ...

    def forget_failure(self, number: int) -> None:
        """Take one note back: the try did not fail."""
        ...

    def failures_since(self, user: str, since: datetime) -> int: ...

    def forget_failures(self, before: datetime) -> int:
        """Delete the notes of tries before this moment; returns how many."""
        ...


class Shifts(Protocol):
    """Shifts of the store."""

    def add(self, shift: Shift) -> None: ...

    def get(self, shift_id: str) -> Shift | None: ...

    def save(self, shift: Shift) -> None: ...

    def remove(self, shift_id: str) -> None: ...

    def at(self, moment: datetime) -> tuple[Shift, ...]: ...

    def between(self, start: datetime, end: datetime) -> tuple[Shift, ...]: ...
