"""Second factors, invitations, changes that wait for a second person, warnings of other issuers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select, update

from geowarn.domain.identity import Invitation, Outcome, OutsideWarning, PendingChange, SecondFactor
from geowarn.store.repositories.base import AnyRow, Repository, values_of
from geowarn.store.tables import invitation, outside_warning, pending_change, recovery_code, second_factor


class SqlFactors(Repository):
    """`ports.Factors`."""

    def save(self, factor: SecondFactor) -> None:
        """Insert or replace by account."""
        self._put(second_factor, [values_of(factor)])

    def get(self, account: str) -> SecondFactor | None:
        """One person's factor, or None; a writer holds it, so that two cannot take the same code."""
        found = select(second_factor).where(second_factor.c.account == account)
        row = self._row(found.with_for_update() if self._postgres and self._writing else found)
        return SecondFactor(**row._mapping) if row else None

    def delete(self, account: str) -> None:
        """Remove factor and recovery codes."""
        self._run(delete(recovery_code).where(recovery_code.c.account == account))
        self._run(delete(second_factor).where(second_factor.c.account == account))

    def set_recovery(self, account: str, keys: tuple[str, ...]) -> None:
        """New recovery codes in place of the old ones."""
        self._run(delete(recovery_code).where(recovery_code.c.account == account))
        self._add(recovery_code, [{"account": account, "key": key, "used_at": None} for key in keys])

    def burn_recovery(self, account: str, key: str, at: datetime) -> bool:
        """Mark one code as used; the row itself says whether it was free."""
        mine = (recovery_code.c.account == account, recovery_code.c.key == key, recovery_code.c.used_at.is_(None))
        burned = update(recovery_code).where(*mine).values(used_at=at).returning(recovery_code.c.key)
        return self._row(burned) is not None

    def recovery_left(self, account: str) -> int:
        """How many are free."""
        free = (recovery_code.c.account == account, recovery_code.c.used_at.is_(None))
        return int(self._connection.scalar(select(func.count()).where(*free)) or 0)


class SqlInvitations(Repository):
    """`ports.Invitations`."""

    def add(self, given: Invitation) -> None:
        """Add one; only the newest of an account is good."""
        self._run(delete(invitation).where(invitation.c.account == given.account, invitation.c.used_at.is_(None)))
        self._add(invitation, [values_of(given)])

    def use(self, account: str, key: str, now: datetime) -> bool:
        """Mark one as used; the row itself says whether it was free."""
        mine = (invitation.c.account == account, invitation.c.key == key)
        free = (invitation.c.used_at.is_(None), invitation.c.ends_at > now)
        return (
            self._row(update(invitation).where(*mine, *free).values(used_at=now).returning(invitation.c.key))
            is not None
        )

    def open_until(self, now: datetime) -> dict[str, datetime]:
        """Accounts with an invitation that is still good."""
        found = select(invitation).where(invitation.c.used_at.is_(None), invitation.c.ends_at > now)
        return {row.account: row.ends_at for row in self._rows(found)}


def _change(row: AnyRow) -> PendingChange:
    return PendingChange(**{**row._mapping, "outcome": Outcome(row.outcome)})


class SqlPendingChanges(Repository):
    """`ports.PendingChanges`."""

    def save(self, given: PendingChange) -> None:
        """Insert or replace by id."""
        self._put(pending_change, [values_of(given) | {"outcome": given.outcome.value}])

    def get(self, change_id: str) -> PendingChange | None:
        """One change, or None; a writer holds it, so that two cannot decide it."""
        found = select(pending_change).where(pending_change.c.id == change_id)
        row = self._row(found.with_for_update() if self._postgres and self._writing else found)
        return _change(row) if row else None

    def waiting(self) -> tuple[PendingChange, ...]:
        """Undecided ones, oldest first."""
        found = select(pending_change).where(pending_change.c.outcome == Outcome.WAITING.value)
        return tuple(_change(row) for row in self._rows(found.order_by(pending_change.c.asked_at, pending_change.c.id)))


class SqlOutsideWarnings(Repository):
    """`ports.OutsideWarnings`."""

    def save(self, given: OutsideWarning) -> None:
        """Insert or replace by id."""
        self._put(outside_warning, [values_of(given)])

    def get(self, warning_id: str) -> OutsideWarning | None:
        """One of them, or None."""
        row = self._row(select(outside_warning).where(outside_warning.c.id == warning_id))
        return OutsideWarning(**row._mapping) if row else None

    def current(self, now: datetime) -> tuple[OutsideWarning, ...]:
        """Those that hold at `now`."""
        here = (outside_warning.c.ends_at > now, outside_warning.c.ended_at.is_(None))
        order = (outside_warning.c.issuer, outside_warning.c.ends_at, outside_warning.c.id)
        found = self._rows(select(outside_warning).where(*here).order_by(*order))
        return tuple(OutsideWarning(**row._mapping) for row in found)
