"""What the store keeps of the ledger, tasks, ticks and stations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from geowarn.domain.ledger import LedgerEntry
from geowarn.domain.task import Task


class Ledger(Protocol):
    """Ledger of the store."""

    def append(self, at: datetime, actor: str, kind: str, subject: str, payload: Mapping[str, Any]) -> LedgerEntry:
        """Chain one entry in this transaction."""
        ...

    def head(self) -> LedgerEntry | None: ...

    def entries(self, after: int = 0, limit: int | None = None, subject: str | None = None) -> tuple[LedgerEntry, ...]:
        """In order of sequence, those with sequence > `after`."""
        ...


class Tasks(Protocol):
    """Tasks of the store."""

    def open(self, task: Task) -> bool:
        """Add unless one of this kind and subject is open; returns whether it was added."""
        ...

    def describe(self, kind: str, subject: str, facts: Mapping[str, Any]) -> bool:
        """Let the open task of this kind and subject say something else; returns whether there was one."""
        ...

    def close(self, kind: str, subject: str, at: datetime) -> int: ...

    def save(self, task: Task) -> None:
        """Store `due_at`, `owner` and the acknowledgement of a task that is open."""
        ...

    def pending(self) -> tuple[Task, ...]:
        """Open tasks, earliest due first."""
        ...


class Ticks(Protocol):
    """Ticks of the store."""

    def fire(self, job: str, slot: datetime, owner: str, at: datetime) -> bool:
        """Take a slot of a job; exactly one caller ever gets True."""
        ...

    def last(self, job: str) -> datetime | None:
        """The newest slot fired."""
        ...

    def beat(self, owner: str, kind: str, at: datetime) -> None:
        """Note that a process (kind "worker", "scheduler", "web") is alive."""
        ...

    def alive(self, kind: str, since: datetime) -> tuple[str, ...]:
        """Owners of this kind that have beaten since."""
        ...


@dataclass(frozen=True, slots=True)
class Poll:
    """One station's last visit and what it then saw."""

    station: str
    at: datetime
    sequence: int


class Stations(Protocol):
    """Stations of the store."""

    def polled(self, poll: Poll) -> None: ...

    def last_poll(self, station: str) -> Poll | None: ...

    def aired(self, station: str, slug: str, at: datetime, medium: str) -> bool:
        """Note "aired at"; returns False when it was already noted."""
        ...

    def airings(self, slug: str) -> tuple[tuple[str, datetime, str], ...]:
        """(station, aired at, medium) of one bulletin."""
        ...


class Counters(Protocol):
    """Counters of the store."""

    def next(self, name: str) -> int:
        """The next number of this counter, starting at 1, inside this transaction."""
        ...
