"""Units of work over SQLite and PostgreSQL: everything inside commits together or not at all (house rule 4)."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from geowarn.domain.errors import Collided, Refused
from geowarn.store import engine as engines
from geowarn.store.repositories.calls import SqlCalls, SqlContacts
from geowarn.store.repositories.clock import SqlEmergencies, SqlEscalations
from geowarn.store.repositories.counsel import SqlCounsel, SqlSignCodes
from geowarn.store.repositories.dispatches import SqlDispatches
from geowarn.store.repositories.exercise import SqlExercises
from geowarn.store.repositories.hooks import SqlHooks
from geowarn.store.repositories.identity import (
    SqlFactors,
    SqlInvitations,
    SqlOutsideWarnings,
    SqlPendingChanges,
)
from geowarn.store.repositories.incidents import SqlIncidents
from geowarn.store.repositories.inputs import SqlCompanionAlerts, SqlSourceEvents
from geowarn.store.repositories.issuers import SqlIssued
from geowarn.store.repositories.levels import SqlAssessments, SqlForecasts, SqlRules
from geowarn.store.repositories.mail import SqlLetters, SqlSubscribers
from geowarn.store.repositories.notices import SqlNotices
from geowarn.store.repositories.operation import SqlStations, SqlTasks, SqlTicks
from geowarn.store.repositories.partners import SqlAnsweredRequests, SqlApiKeys
from geowarn.store.repositories.people import SqlSessions, SqlShifts, SqlUsers
from geowarn.store.repositories.places import SqlAreas, SqlRecipients
from geowarn.store.repositories.proof import SqlLedger
from geowarn.store.repositories.release import SqlBulletins, SqlCounters
from geowarn.store.repositories.review import SqlProposals, SqlSignOffs, SqlWarnings
from geowarn.store.repositories.roster import SqlRoster
from geowarn.store.repositories.search import SqlSearch
from geowarn.store.repositories.voices import SqlAnswers, SqlVoices


class _Turn:
    """Lets one thread at a time use the single connection of a database in memory.

    A read inside a unit of work of the same thread joins its transaction; a write inside one is a mistake that
    would wait for itself for ever on a file, so it is refused.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.depth = 0
        self.connection: Connection | None = None

    def take(self, writing: bool) -> None:
        """Wait for the turn."""
        self._lock.acquire()
        if writing and self.depth:
            self._lock.release()
            raise RuntimeError("a unit of work that writes was begun inside another one")
        self.depth += 1

    def give_back(self) -> None:
        """Let the next one in."""
        self.depth -= 1
        self._lock.release()


class _Bell:
    """Rings when new dispatches are committed."""

    def __init__(self) -> None:
        self._rung, self._condition = 0, threading.Condition()

    def ring(self) -> None:
        """Wake who waits."""
        with self._condition:
            self._rung += 1
            self._condition.notify_all()

    def wait(self, known: int, seconds: float) -> int:
        """How often it rang, once that is not `known`, else after so long."""
        with self._condition:
            self._condition.wait_for(lambda: self._rung != known, seconds)
            return self._rung


class SqlUnitOfWork:
    """`ports.UnitOfWork` over one connection and one transaction; leaving without commit rolls back.

    Raises Collided where the database ended the transaction for another one's sake.
    """

    def __init__(self, engine: Engine, writing: bool, turn: _Turn | None, bell: _Bell) -> None:
        self._engine, self._writing, self._turn, self._bell = engine, writing, turn, bell
        self._connection: Connection | None = None
        self._joined = False

    def __enter__(self) -> Self:
        if self._turn is not None:
            self._turn.take(self._writing)
            self._joined = self._turn.depth > 1
        try:
            self._open()
        except BaseException:
            self._close()
            raise
        return self

    def _open(self) -> None:
        if self._joined and self._turn is not None and self._turn.connection is not None:
            self._connection = self._turn.connection
        else:
            self._begin()
        if self._connection is not None:
            self._equip(self._connection)

    def _begin(self) -> None:
        try:
            self._connection = connection = self._engine.connect()
            if not self._writing:
                engines.for_reading(connection)
                engines.refuse_writing(connection, True)
            connection.begin()
        except OperationalError as error:
            raise _refusal(self._engine, error) from None
        if self._turn is not None:
            self._turn.connection = connection

    def _equip(self, connection: Connection) -> None:
        on = (connection, self._writing)
        self.areas = SqlAreas(*on)
        self.forecasts = SqlForecasts(*on)
        self.assessments = SqlAssessments(*on)
        self.rules = SqlRules(*on)
        self.source_events = SqlSourceEvents(*on)
        self.companions = SqlCompanionAlerts(*on)
        self.incidents = SqlIncidents(*on)
        self.warnings = SqlWarnings(*on)
        self.proposals = SqlProposals(*on)
        self.signoffs = SqlSignOffs(*on)
        self.counsel = SqlCounsel(*on)
        self.sign_codes = SqlSignCodes(*on)
        self.bulletins = SqlBulletins(*on)
        self.dispatches = SqlDispatches(*on)
        self.ledger = SqlLedger(*on)
        self.users = SqlUsers(*on)
        self.sessions = SqlSessions(*on)
        self.factors = SqlFactors(*on)
        self.invitations = SqlInvitations(*on)
        self.pending_changes = SqlPendingChanges(*on)
        self.outside_warnings = SqlOutsideWarnings(*on)
        self.issued = SqlIssued(*on)
        self.shifts = SqlShifts(*on)
        self.roster = SqlRoster(*on)
        self.notices = SqlNotices(*on)
        self.recipients = SqlRecipients(*on)
        self.subscribers = SqlSubscribers(*on)
        self.letters = SqlLetters(*on)
        self.tasks = SqlTasks(*on)
        self.ticks = SqlTicks(*on)
        self.stations = SqlStations(*on)
        self.exercises = SqlExercises(*on)
        self.counters = SqlCounters(*on)
        self.api_keys = SqlApiKeys(*on)
        self.requests = SqlAnsweredRequests(*on)
        self.hooks = SqlHooks(*on)
        self.escalations = SqlEscalations(*on)
        self.emergencies = SqlEmergencies(*on)
        self.search = SqlSearch(*on)
        self.voices = SqlVoices(*on)
        self.answers = SqlAnswers(*on)
        self.contacts = SqlContacts(*on)
        self.calls = SqlCalls(*on)

    def commit(self) -> None:
        """Make everything permanent; the unit of work is over then, and any further use of it raises."""
        if self._connection is None:
            raise RuntimeError("this unit of work is over")
        if self._writing:
            try:
                self._connection.commit()
            except OperationalError as failed:
                if engines.collided(failed):
                    raise Collided from failed
                raise
        self._end()
        if self.dispatches.added:
            self._bell.ring()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        if engines.collided(error):
            raise Collided from error

    def _end(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None or self._joined:
            return
        connection.rollback()  # nothing is left to roll back after a commit
        if not self._writing:
            engines.refuse_writing(connection, False)
        connection.close()

    def _close(self) -> None:
        try:
            self._end()
        finally:
            if self._turn is not None:
                turn, self._turn = self._turn, None
                turn.give_back()


def _refusal(engine: Engine, error: OperationalError) -> Refused:
    where = engine.url.render_as_string(hide_password=True)
    if "locked" in str(error.orig) or "busy" in str(error.orig):
        return Refused("store.busy", database=where, seconds=engines.BUSY_SECONDS)
    return Refused("store.unreachable", database=where, reason=" ".join(str(error.orig).split()))


class SqlStore:
    """`ports.Store` over SQLAlchemy; one per process."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.url = url
        self.engine = engines.open_engine(url, read_only)
        self._turn = _Turn() if engines.in_memory(self.engine.url) else None
        self._bell = _Bell()

    @classmethod
    def in_memory(cls) -> SqlStore:
        """A migrated SQLite database in memory, gone when disposed of; the same code as a file."""
        from geowarn.store.upgrade import upgrade_engine

        store = cls("sqlite://")
        upgrade_engine(store.engine)
        return store

    @classmethod
    def read_only(cls, url: str) -> SqlStore:
        """A store that cannot change a byte of an SQLite file, for verifying a copy; raises Refused without a file."""
        return cls(url, read_only=True)

    def begin(self) -> SqlUnitOfWork:
        """A unit of work that may write (SQLite: BEGIN IMMEDIATE)."""
        return SqlUnitOfWork(self.engine, writing=True, turn=self._turn, bell=self._bell)

    def read(self) -> SqlUnitOfWork:
        """A unit of work that only reads one consistent state."""
        return SqlUnitOfWork(self.engine, writing=False, turn=self._turn, bell=self._bell)

    def wait_for_dispatches(self, known: int, seconds: float) -> int:
        """How often this process has committed new dispatches, as soon as it is not `known`, else after so long."""
        return self._bell.wait(known, seconds)

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()
