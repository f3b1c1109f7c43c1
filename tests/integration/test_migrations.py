"""The database comes up, goes back and says what is wrong with it, on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect, text
from tests.contract import store_rows as rows

from geowarn.domain.errors import Refused
from geowarn.store import upgrade as migrations
from geowarn.store.unit_of_work import SqlStore

NEWEST = "0018_calls"


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        (tmp_path / "empty.db").touch()
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("empty_postgres"))


def test_the_newest_migration_is_the_one_in_the_head_file() -> None:
    pinned = (files("geowarn.store") / "migrations" / "HEAD").read_text("utf-8").strip()
    assert migrations.head() == pinned == NEWEST


def test_an_empty_database_comes_up_and_is_without_fault(empty_url: str) -> None:
    assert migrations.current(empty_url) is None
    assert migrations.check(empty_url) == [f"migration none instead of {NEWEST}"]
    with pytest.raises(Refused, match="not-migrated"):
        migrations.require_current(empty_url)
    migrations.upgrade(empty_url)
    migrations.upgrade(empty_url)
    assert migrations.current(empty_url) == NEWEST
    assert migrations.check(empty_url) == []
    migrations.require_current(empty_url)


def test_every_step_goes_back_to_nothing(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        command.downgrade(migrations._config(connection), "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()
    migrations.upgrade(database_url)
    assert migrations.check(database_url) == []


def test_what_differs_is_named(database_url: str) -> None:
    engine = create_engine(database_url)
    on = " ON ledger" if engine.dialect.name == "postgresql" else ""
    with engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER refuse_update_ledger{on}"))
        connection.execute(text("DROP INDEX ix_dispatch_open"))
        connection.execute(text("ALTER TABLE area ADD COLUMN extra TEXT"))
    engine.dispose()
    faults = "\n".join(migrations.check(database_url))
    assert "refuse_update_ledger is missing" in faults
    assert "ix_dispatch_open" in faults
    assert "extra" in faults


def test_a_newer_database_is_left_alone(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999_later'"))
    engine.dispose()
    with pytest.raises(Refused, match="newer"):
        migrations.upgrade(database_url)


def test_what_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "none.db"
    for act in (migrations.check, migrations.current, SqlStore.read_only):
        with pytest.raises(Refused, match="no-file"):
            act(f"sqlite:///{missing}")
    assert not missing.exists()
    with pytest.raises(Refused, match="unreachable"):
        migrations.upgrade(f"sqlite:///{tmp_path / 'no-folder' / 'x.db'}")
    with pytest.raises(Refused, match="unreachable") as refusal:
        migrations.current("postgresql://me:secret@127.0.0.1:1/none")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("url", ["mysql://host/name", "not an address", "sqlite"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(Refused, match=r"store\.(unknown-database|bad-url)"):
        SqlStore(url)


def test_a_store_out_of_reach_is_refused_without_its_password() -> None:
    store = SqlStore("postgres://me:secret@127.0.0.1:1/none")
    with pytest.raises(Refused, match="unreachable") as refusal, store.begin():
        pass
    assert "secret" not in str(refusal.value)
    store.dispose()


def test_reading_a_copy_changes_no_byte(sqlite_url: str, tmp_path: Path) -> None:
    original = Path(sqlite_url.removeprefix("sqlite:///"))
    store = SqlStore(sqlite_url)
    with store.begin() as work:
        work.ledger.append(rows.NOON, "a", "k", "s", {})
        work.commit()
    store.dispose()
    copy = tmp_path / "copy of 100% #1.db"
    shutil.copy(original, copy)
    before = copy.read_bytes()
    reader = SqlStore.read_only(f"sqlite:///{copy}")
    with reader.read() as work:
        assert work.ledger.head() is not None
    with pytest.raises(Exception, match="readonly"), reader.begin() as work:
        work.counters.next("n")
    reader.dispose()
    assert copy.read_bytes() == before


def test_a_reader_sees_what_a_running_writer_has_committed(sqlite_url: str) -> None:
    store = SqlStore(sqlite_url)
    with store.begin() as work:
        work.ledger.append(rows.NOON, "a", "k", "s", {})
        work.commit()
    reader = SqlStore.read_only(sqlite_url)
    with reader.read() as work:
        assert work.ledger.head() is not None
    reader.dispose()
    store.dispose()


def test_sqlite_is_set_up_to_survive(sqlite_url: str) -> None:
    store = SqlStore(sqlite_url)
    with store.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    store.dispose()
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 30000}
