"""The ledger that only grows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from geowarn.domain.ledger import LedgerEntry, chain
from geowarn.store.repositories.base import Repository, values_of
from geowarn.store.tables import ledger


class SqlLedger(Repository):
    """`ports.Ledger`."""

    def append(self, at: datetime, actor: str, kind: str, subject: str, payload: Mapping[str, Any]) -> LedgerEntry:
        """Chain one entry in this transaction; other transactions that append wait for its end."""
        self._hold_ledger()
        entry = chain(self.head(), at, actor, kind, subject, dict(payload))
        self._add(ledger, [values_of(entry)])
        return entry

    def head(self) -> LedgerEntry | None:
        """The newest entry, or None."""
        row = self._row(select(ledger).order_by(ledger.c.sequence.desc()).limit(1))
        return LedgerEntry(**row._mapping) if row else None

    def entries(self, after: int = 0, limit: int | None = None, subject: str | None = None) -> tuple[LedgerEntry, ...]:
        """In order of sequence, those with sequence > `after`."""
        found = select(ledger).where(ledger.c.sequence > after).order_by(ledger.c.sequence).limit(limit)
        if subject is not None:
            found = found.where(ledger.c.subject == subject)
        return tuple(LedgerEntry(**row._mapping) for row in self._rows(found))
