"""Brings a database to the newest schema, and says what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from geowarn.domain.errors import Refused
from geowarn.store.engine import open_engine, place, refuse_missing
from geowarn.store.guards import missing_guards, restore_guards
from geowarn.store.tables import metadata

# One process migrates at a time on PostgreSQL ("migr" in ASCII); SQLite has one writer anyway.
_LOCK = 0x6D696772


def _folder() -> Path:
    return Path(str(files("geowarn.store"))) / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@cache
def head() -> str:
    """The newest migration's number and name."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        raise LookupError("no migration is shipped")
    return found


def upgrade_engine(engine: Engine, to: str = "head") -> None:
    """Run every missing migration up to `to` in one transaction."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        command.upgrade(_config(connection), to)


def upgrade(url: str) -> None:
    """Bring the database to the newest schema; raises Refused when it cannot be reached or is newer than this."""
    with _engine(url) as engine:
        with engine.connect() as connection:
            found = _current(connection)
        known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
        if found is not None and found not in known:
            raise Refused("store.newer", database=place(url), found=found, known=head())
        upgrade_engine(engine)
        with engine.begin() as connection:
            restore_guards(connection)


def current(url: str) -> str | None:
    """The newest migration that has run there, None for an empty database.

    Raises Refused when it is not there or out of reach.
    """
    refuse_missing(url)
    with _engine(url) as engine, engine.connect() as connection:
        return _current(connection)


def check(url: str) -> list[str]:
    """Every fault of the schema: migrations missing, tables that differ, guards gone; empty when there is none."""
    refuse_missing(url)
    with _engine(url) as engine, engine.connect() as connection:
        found = _current(connection)
        if found != head():
            return [f"migration {found or 'none'} instead of {head()}"]
        faults = [f"trigger {name} is missing" for name in missing_guards(connection)]
        return faults + [f"schema differs: {difference}" for difference in _differences(connection)]


def require_current(url: str) -> None:
    """Raise Refused unless the newest migration has run."""
    found = current(url)
    if found != head():
        raise Refused("store.not-migrated", database=place(url), found=found or "-", wanted=head())


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    try:
        yield engine
    except OperationalError as error:
        reason = " ".join(str(error.orig).split())
        raise Refused("store.unreachable", database=place(url), reason=reason) from None
    finally:
        engine.dispose()


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _differences(connection: Connection) -> list[str]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    found: list[Any] = compare_metadata(context, metadata)
    return [_words(difference) for difference in found]


def _words(difference: Any) -> str:
    steps = difference if isinstance(difference, list) else [difference]
    return "; ".join(" ".join(str(getattr(part, "name", part)) for part in step) for step in steps)
