"""Accounts, console sessions and shifts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from sqlalchemy import delete, func, select

from geowarn.domain.people import Role, Shift, User
from geowarn.ports import Session
from geowarn.store.repositories.base import AnyRow, Repository, renamed, values_of
from geowarn.store.tables import account, console_session, login_failure, shift


def _user(row: AnyRow) -> User:
    values = row._mapping
    areas = {Role(role): frozenset(codes) for role, codes in values["areas"].items()}
    return User(**{**values, "roles": frozenset(Role(role) for role in values["roles"]), "areas": areas})


class SqlUsers(Repository):
    """`ports.Users`."""

    def save(self, user: User) -> None:
        """Insert or replace by name."""
        areas = {role.value: sorted(codes) for role, codes in sorted(user.areas.items())}
        self._put(account, [values_of(user) | {"roles": sorted(r.value for r in user.roles), "areas": areas}])

    def get(self, name: str) -> User | None:
        """One person, or None."""
        row = self._row(select(account).where(account.c.name == name))
        return _user(row) if row else None

    def held(self, name: str) -> User | None:
        """One person, or None; a unit of work that writes keeps others off the account until the end."""
        row = self._row(self._for_change(select(account).where(account.c.name == name)))
        return _user(row) if row else None

    def all(self) -> tuple[User, ...]:
        """Everyone, ordered by name."""
        return tuple(sorted((_user(row) for row in self._rows(select(account))), key=lambda user: user.name))


class SqlSessions(Repository):
    """`ports.Sessions`."""

    def save(self, session: Session) -> None:
        """Insert or replace by token."""
        self._put(console_session, [renamed(values_of(session), user="account")])

    def get(self, token_sha256: str) -> Session | None:
        """One session, or None; whether it has ended is for the caller to see."""
        row = self._row(select(console_session).where(console_session.c.token_sha256 == token_sha256))
        return Session(**renamed(row._asdict(), account="user")) if row else None

    def delete(self, token_sha256: str) -> None:
        """End one session."""
        self._run(delete(console_session).where(console_session.c.token_sha256 == token_sha256))

    def all(self) -> tuple[Session, ...]:
        """Every session that is kept, newest first."""
        rows = self._rows(select(console_session).order_by(console_session.c.opened_at.desc()))
        return tuple(Session(**renamed(row._asdict(), account="user")) for row in rows)

    def delete_of(self, user: str) -> int:
        """End every session of one person."""
        ended = delete(console_session).where(console_session.c.account == user)
        return len(self._rows(ended.returning(console_session.c.token_sha256)))

    def delete_ended(self, before: datetime) -> None:
        """Forget sessions whose end lies before this moment."""
        self._run(delete(console_session).where(console_session.c.ends_at < before))

    def hold_tries(self, keys: Iterable[str]) -> None:
        """Let one at a time count tries under any of these keys; SQLite has one writer anyway."""
        if self._postgres:
            numbers = {int.from_bytes(sha256(f"tries\n{key}".encode()).digest()[:8], signed=True) for key in keys}
            for number in sorted(numbers):
                self._run(select(func.pg_advisory_xact_lock(number)))

    def note_failure(self, user: str, at: datetime) -> int:
        """Note a failed log-in; returns the note's number."""
        noted = login_failure.insert().values(account=user, at=at).returning(login_failure.c.id)
        return int(self._connection.scalar(noted) or 0)

    def forget_failure(self, number: int) -> None:
        """Take one note back."""
        self._run(delete(login_failure).where(login_failure.c.id == number))

    def failures_since(self, user: str, since: datetime) -> int:
        """How many failed log-ins this name has had since then."""
        counted = select(func.count()).where(login_failure.c.account == user, login_failure.c.at >= since)
        return int(self._connection.scalar(counted) or 0)

    def forget_failures(self, before: datetime) -> int:
        """Delete the notes of tries before this moment; returns how many."""
        return len(self._rows(delete(login_failure).where(login_failure.c.at < before).returning(login_failure.c.id)))


def _shift(row: AnyRow) -> Shift:
    return Shift(row.id, row.officer, row.deputy, row.starts_at, row.ends_at, row.leader, row.uid)


class SqlShifts(Repository):
    """`ports.Shifts`."""

    def add(self, given: Shift) -> None:
        """Add one; its id must be new."""
        self._add(shift, [renamed(values_of(given), start="starts_at", end="ends_at")])

    def get(self, shift_id: str) -> Shift | None:
        """One shift, or None; a unit of work that writes keeps others off it until the end."""
        row = self._row(self._for_change(select(shift).where(shift.c.id == shift_id)))
        return _shift(row) if row else None

    def save(self, given: Shift) -> None:
        """Insert or replace by id."""
        self._put(shift, [renamed(values_of(given), start="starts_at", end="ends_at")])

    def remove(self, shift_id: str) -> None:
        """Take one out; what was done with it stays in the ledger."""
        self._run(delete(shift).where(shift.c.id == shift_id))

    def at(self, moment: datetime) -> tuple[Shift, ...]:
        """Shifts that are on at `moment`, earliest start first."""
        found = select(shift).where(shift.c.starts_at <= moment, shift.c.ends_at > moment)
        return tuple(_shift(row) for row in self._rows(found.order_by(shift.c.starts_at, shift.c.id)))

    def between(self, start: datetime, end: datetime) -> tuple[Shift, ...]:
        """Shifts that share time with [start, end), earliest start first."""
        found = select(shift).where(shift.c.starts_at < end, shift.c.ends_at > start)
        return tuple(_shift(row) for row in self._rows(found.order_by(shift.c.starts_at, shift.c.id)))
