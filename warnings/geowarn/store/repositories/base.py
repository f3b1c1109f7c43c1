"""What every repository stands on: one connection inside one transaction.

On PostgreSQL everybody takes what others may wait for in one order, so that no two wait for each other:

1. rows: the warning and what hangs on it, accounts, shifts, notices, counters, dispatches by id (`Dispatches.hold`);
2. the ledger's lock (`_hold_ledger`), with the first entry or the first write to a task or a pass of escalation;
3. tasks and passes.

Claiming, letting expire and overtaking take only rows that are free, and wait for nobody. SQLite has one writer anyway.
Where an act cannot keep to it (the clock enters who was rung, then releases, which takes a number), the database ends
one of the two with Collided: a person's release is done again at once, the clock's at its next tick.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Row, Select, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable

from geowarn.store.tables import hazard_warning

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

AnyRow = Row[Any]
T = TypeVar("T")

# Rows that travel together; bounds memory, not the transaction.
BATCH = 1000

# The advisory lock that lets one transaction at a time append to the ledger on PostgreSQL ("ledg" in ASCII).
_LEDGER = 0x6C656467


def batches(rows: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """The rows in lists of at most `size`."""
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch


def values_of(given: DataclassInstance) -> dict[str, Any]:
    """Field to value; unlike `asdict` it copies nothing below, which is four times as fast."""
    return {named.name: getattr(given, named.name) for named in fields(given)}


def renamed(values: Mapping[str, Any], **names: str) -> dict[str, Any]:
    """The values with some keys called otherwise: `renamed(row, account="user")` turns account into user."""
    return {names.get(key, key): value for key, value in values.items()}


class Repository:
    """Rows of one kind; `writing` says whether the unit of work may change them."""

    def __init__(self, connection: Connection, writing: bool) -> None:
        self._connection = connection
        self._writing = writing

    @property
    def _postgres(self) -> bool:
        return self._connection.dialect.name == "postgresql"

    def _rows(self, statement: Executable) -> Sequence[AnyRow]:
        return self._connection.execute(statement).all()

    def _row(self, statement: Executable) -> AnyRow | None:
        return self._connection.execute(statement).first()

    def _run(self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> None:
        self._connection.execute(statement, rows)

    def _insert(self, table: Table) -> Any:
        """An INSERT that knows ON CONFLICT in the database's own dialect."""
        return postgresql.insert(table) if self._postgres else sqlite.insert(table)

    def _add(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
        for batch in batches(rows):
            self._run(table.insert(), batch)

    def _add_missing(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert the rows whose key is not there yet."""
        for batch in batches(rows):
            self._run(self._insert(table).on_conflict_do_nothing(), batch)

    def _put(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert or replace by primary key."""
        keys = [column.name for column in table.primary_key]
        statement = self._insert(table)
        others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
        for batch in batches(rows):
            self._run(statement.on_conflict_do_update(index_elements=keys, set_=others), batch)

    def _hold_ledger(self) -> None:
        """Let one transaction at a time go on from here to the ledger, tasks and passes; see the order above."""
        if self._postgres:
            self._run(select(func.pg_advisory_xact_lock(_LEDGER)))

    def _for_change(self, chosen: Select[Any]) -> Select[Any]:
        """The statement that reads rows so that a unit of work that writes keeps others off them until the end."""
        return chosen.with_for_update(key_share=True) if self._postgres and self._writing else chosen

    def _hold_warning(self, warning_id: str | None = None) -> None:
        """Let writers of one warning wait for each other, as SQLite's single writer does anyway.

        Without it two transactions on PostgreSQL could each act on what the other is just changing: an edit
        voids signatures while a release still sees them.
        """
        if not (self._postgres and self._writing):
            return
        found = select(hazard_warning.c.id).order_by(hazard_warning.c.id).with_for_update(key_share=True)
        self._run(found if warning_id is None else found.where(hazard_warning.c.id == warning_id))
