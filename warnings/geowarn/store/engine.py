"""One way to open a database, whichever it is."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import StaticPool

from geowarn.domain.errors import Refused

BUSY_SECONDS = 30  # how long a writer waits for the one before it
_BEGIN = "geowarn_begin"  # execution option: the statement that opens an SQLite transaction


def _url(text: str) -> URL:
    named = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", text)
    try:
        url = make_url(named)
    except ArgumentError:
        raise Refused("store.bad-url") from None
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise Refused("store.unknown-database", name=url.get_backend_name())
    return url


def in_memory(url: URL) -> bool:
    """Whether this is an SQLite database that lives in memory only."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def refuse_missing(text: str) -> None:
    """Raise Refused for an SQLite file that is not there, which opening would make."""
    url = _url(text)
    if url.get_backend_name() == "sqlite" and not in_memory(url) and not Path(str(url.database)).is_file():
        raise Refused("store.no-file", file=str(url.database))


def place(text: str) -> str:
    """Where a database is, without its password, fit for a message."""
    return _url(text).render_as_string(hide_password=True)


def open_engine(text: str, read_only: bool = False) -> Engine:
    """An engine for `sqlite:///file`, `sqlite://` (in memory) or `postgresql://…`; raises Refused for anything else."""
    url = _url(text)
    if url.get_backend_name() == "postgresql":
        return _postgres(url)
    if in_memory(url):
        return _sqlite(url, None, poolclass=StaticPool)
    return _sqlite_reader(Path(str(url.database))) if read_only else _sqlite(url, "WAL")


def _postgres(url: URL) -> Engine:
    """Parameters stay out of errors, here and below: logs would hold codes and password hashes."""
    try:
        engine = create_engine(
            url,
            pool_size=8,
            max_overflow=32,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"options": "-c timezone=UTC", "connect_timeout": 10},
        )
    except (ImportError, NoSuchModuleError):
        raise Refused("store.no-driver") from None

    @event.listens_for(engine, "handle_error")
    def _leave_out_values(failed: ExceptionContext) -> None:
        for error in (failed.original_exception, failed.sqlalchemy_exception):
            if error is not None and error.args:  # the server's detail quotes the row
                error.args = (str(error.args[0]).partition("\nDETAIL:")[0], *error.args[1:])

    return engine


def _sqlite(url: URL | str, journal: str | None, **options: Any) -> Engine:
    arguments: dict[str, Any] = {"check_same_thread": False, "timeout": BUSY_SECONDS}
    if "poolclass" not in options:
        options |= {"pool_size": 8, "max_overflow": 64}
    engine = create_engine(url, connect_args=arguments, hide_parameters=True, **options)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver opens no transaction of its own
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        if journal is not None:
            connection.execute(f"PRAGMA journal_mode = {journal}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE"))

    return engine


def _sqlite_reader(file: Path) -> Engine:
    """Opens without changing a byte; a file with no log beside it is open nowhere else and needs none."""
    if not file.is_file():
        raise Refused("store.no-file", file=str(file))
    how = {"mode": "ro", "uri": "true"}
    if not file.with_name(file.name + "-wal").exists():
        how["immutable"] = "1"
    return _sqlite(URL.create("sqlite", database=file.resolve().as_uri(), query=how), None)


def for_reading(connection: Connection) -> None:
    """Set the connection to read one consistent state."""
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    else:
        connection.execution_options(**{_BEGIN: "BEGIN"})


def refuse_writing(connection: Connection, refuse: bool) -> None:
    """Set SQLite's own guard; PostgreSQL's is part of the transaction."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA query_only = {int(refuse)}")


# PostgreSQL ends one of two transactions that wait for each other (40P01) or cannot be put in order (40001).
_COLLISIONS = frozenset({"40P01", "40001"})


def collided(error: BaseException | None) -> bool:
    """Whether a transaction was ended only because another one stood in its way: done again, it goes through."""
    return isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) in _COLLISIONS
