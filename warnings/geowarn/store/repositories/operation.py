"""What keeps the line running: tasks, ticks, heartbeats and what stations did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from geowarn.domain.task import Task
from geowarn.ports import Poll
from geowarn.store.repositories.base import Repository, values_of
from geowarn.store.tables import airing, fired, heartbeat, station_poll, task


class SqlTasks(Repository):
    """`ports.Tasks`; every write comes after the ledger's lock, see `base`."""

    def open(self, given: Task) -> bool:
        """Add unless one of this kind and subject is open; returns whether it was added."""
        self._hold_ledger()
        row = values_of(given) | {"facts": dict(given.facts)}
        return bool(self._rows(self._insert(task).values(row).on_conflict_do_nothing().returning(task.c.id)))

    def describe(self, kind: str, subject: str, facts: Mapping[str, Any]) -> bool:
        """Let the open task of this kind and subject say something else; returns whether there was one."""
        self._hold_ledger()
        standing = (task.c.kind == kind) & (task.c.subject == subject) & task.c.closed_at.is_(None)
        return bool(self._rows(update(task).where(standing).values(facts=dict(facts)).returning(task.c.id)))

    def close(self, kind: str, subject: str, at: datetime) -> int:
        """Close the open task of this kind and subject; returns how many there were."""
        self._hold_ledger()
        standing = (task.c.kind == kind) & (task.c.subject == subject) & task.c.closed_at.is_(None)
        return len(self._rows(update(task).where(standing).values(closed_at=at).returning(task.c.id)))

    def save(self, given: Task) -> None:
        """Store the deadline, for whom it waits and who has taken it in hand; nothing of a closed task changes."""
        self._hold_ledger()
        kept = ("due_at", "owner", "acknowledged_at", "acknowledged_by")
        standing = (task.c.id == given.id) & task.c.closed_at.is_(None)
        self._run(update(task).where(standing).values({name: getattr(given, name) for name in kept}))

    def pending(self) -> tuple[Task, ...]:
        """Open tasks, earliest due first; those without a time come last."""
        order = (task.c.due_at.is_(None), task.c.due_at, task.c.opened_at, task.c.id)
        return tuple(
            Task(**row._mapping) for row in self._rows(select(task).where(task.c.closed_at.is_(None)).order_by(*order))
        )


class SqlTicks(Repository):
    """`ports.Ticks`."""

    def fire(self, job: str, slot: datetime, owner: str, at: datetime) -> bool:
        """Take a slot of a job; exactly one caller ever gets True.

        RETURNING tells who won: with psycopg the row count of such an insert is -1 for winner and loser alike.
        """
        row = {"job": job, "slot": slot, "owner": owner, "at": at}
        return bool(self._rows(self._insert(fired).values(row).on_conflict_do_nothing().returning(fired.c.job)))

    def last(self, job: str) -> datetime | None:
        """The newest slot fired."""
        newest: datetime | None = self._connection.scalar(select(func.max(fired.c.slot)).where(fired.c.job == job))
        return newest

    def beat(self, owner: str, kind: str, at: datetime) -> None:
        """Note that a process is alive."""
        self._put(heartbeat, [{"owner": owner, "kind": kind, "at": at}])

    def alive(self, kind: str, since: datetime) -> tuple[str, ...]:
        """Owners of this kind that have beaten since."""
        beaten = select(heartbeat.c.owner).where(heartbeat.c.kind == kind, heartbeat.c.at >= since)
        return tuple(sorted(row.owner for row in self._rows(beaten)))


class SqlStations(Repository):
    """`ports.Stations`."""

    def polled(self, poll: Poll) -> None:
        """Note one station's newest visit."""
        self._put(station_poll, [values_of(poll)])

    def last_poll(self, station: str) -> Poll | None:
        """The newest visit, or None."""
        row = self._row(select(station_poll).where(station_poll.c.station == station))
        return Poll(**row._mapping) if row else None

    def aired(self, station: str, slug: str, at: datetime, medium: str) -> bool:
        """Note "aired at"; returns False when this airing was already noted. Each repeat has a time of its own."""
        row = {"station": station, "slug": slug, "medium": medium, "at": at}
        return bool(self._rows(self._insert(airing).values(row).on_conflict_do_nothing().returning(airing.c.at)))

    def airings(self, slug: str) -> tuple[tuple[str, datetime, str], ...]:
        """(station, aired at, medium) of one bulletin, in order of time."""
        found = select(airing).where(airing.c.slug == slug).order_by(airing.c.at, airing.c.station, airing.c.medium)
        return tuple((row.station, row.at, row.medium) for row in self._rows(found))
