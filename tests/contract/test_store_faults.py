"""What the database says when it gives something up: a collision is done again, and no value gets into a log."""

from __future__ import annotations

import traceback

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.contract import store_rows as rows

from geowarn.domain.errors import Collided
from geowarn.store.unit_of_work import SqlStore

_END = "DO $$ BEGIN RAISE EXCEPTION 'given up' USING ERRCODE = '{code}'; END $$"


@pytest.mark.parametrize("code", ["40P01", "40001"])
def test_what_was_ended_for_another_one_collided(postgres_url: str, code: str) -> None:
    store = SqlStore(postgres_url)
    with pytest.raises(Collided), store.begin() as work:
        work._connection.execute(text(_END.format(code=code)))  # type: ignore[union-attr]
    with pytest.raises(DBAPIError), store.begin() as work:
        work._connection.execute(text(_END.format(code="23514")))  # type: ignore[union-attr]
    store.dispose()


def test_a_commit_may_collide_as_well(postgres_url: str) -> None:
    store = SqlStore(postgres_url)
    with store.engine.begin() as connection:
        body = "$$ BEGIN RAISE EXCEPTION 'given up' USING ERRCODE = '40001'; END $$"
        connection.execute(text(f"CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS {body}"))
        late = "AFTER INSERT ON heartbeat DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION give_up()"
        connection.execute(text(f"CREATE CONSTRAINT TRIGGER give_up {late}"))
    with pytest.raises(Collided):
        rows.kept(store, lambda work: work.ticks.beat("one", "worker", rows.NOON))
    with store.read() as work:
        assert work.ticks.alive("worker", rows.NOON) == ()
    store.dispose()


def test_no_fault_of_the_database_tells_what_was_to_be_stored(any_store: SqlStore) -> None:
    """House rule 14: what is logged of it names the statement, not the values."""
    nobody = rows.recipient(1, language=None)
    with pytest.raises(DBAPIError) as failed:
        rows.kept(any_store, lambda work: work.recipients.add_all([nobody]))
    told = "".join(traceback.format_exception(failed.value))
    assert "INSERT INTO recipient" in told
    for value in (nobody.phone_key, nobody.phone_sealed.hex(), "form 2026-05-01"):
        assert value not in told
