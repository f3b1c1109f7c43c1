"""Second factors and recovery codes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select, update

from geowarn.domain.identity import SecondFactor
from geowarn.store.repositories.base import Repository, values_of
from geowarn.store.tables import recovery_code, second_factor


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
