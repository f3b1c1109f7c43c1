"""What came in beside forecasts: what happened to sources, and alerts of the weather service."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from geowarn.ports import CompanionAlert, SourceEvent
from geowarn.store.repositories.base import Repository, values_of
from geowarn.store.tables import companion_alert, source_event


class SqlSourceEvents(Repository):
    """`ports.SourceEvents`."""

    def add(self, event: SourceEvent) -> None:
        """Add one; its id must be new."""
        self._add(source_event, [values_of(event) | {"facts": dict(event.facts)}])

    def newest(self, source: str, kind: str | None = None) -> SourceEvent | None:
        """The newest event of this source, of one kind where it is named."""
        found = select(source_event).where(source_event.c.source == source)
        if kind is not None:
            found = found.where(source_event.c.kind == kind)
        row = self._row(found.order_by(source_event.c.at.desc(), source_event.c.id.desc()).limit(1))
        return SourceEvent(**row._mapping) if row else None

    def of_source(self, source: str, limit: int = 50) -> tuple[SourceEvent, ...]:
        """Newest first."""
        found = select(source_event).where(source_event.c.source == source)
        newest = found.order_by(source_event.c.at.desc(), source_event.c.id.desc()).limit(limit)
        return tuple(SourceEvent(**row._mapping) for row in self._rows(newest))


class SqlCompanionAlerts(Repository):
    """`ports.CompanionAlerts`."""

    def add(self, alert: CompanionAlert) -> bool:
        """Keep it; returns False when it was already there."""
        row = values_of(alert) | {"facts": dict(alert.facts), "areas": list(alert.areas)}
        added = self._insert(companion_alert).values(row).on_conflict_do_nothing().returning(companion_alert.c.id)
        return bool(self._rows(added))

    def end(self, sender: str, identifier: str, by: str) -> int:
        """Note that an update or cancel ended it; returns how many."""
        named = (companion_alert.c.sender == sender) & (companion_alert.c.identifier == identifier)
        ended = update(companion_alert).where(named, companion_alert.c.ended_by.is_(None)).values(ended_by=by)
        return len(self._rows(ended.returning(companion_alert.c.id)))

    def current(self, now: datetime) -> tuple[CompanionAlert, ...]:
        """Those neither expired nor ended, newest sent first."""
        standing = select(companion_alert).where(companion_alert.c.expires > now, companion_alert.c.ended_by.is_(None))
        order = (companion_alert.c.sent.desc(), companion_alert.c.id)
        return tuple(
            CompanionAlert(**{**row._mapping, "areas": tuple(row.areas)})
            for row in self._rows(standing.order_by(*order))
        )
