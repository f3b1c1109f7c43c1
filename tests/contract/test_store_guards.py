"""What was released and what the ledger says cannot be changed, not even with plain SQL (house rule 13)."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.contract import store_rows as rows
from tests.contract.test_store_counsel import CHECK, COMMENT, TALK

from geowarn.store.guards import GUARDED, missing_guards, restore_guards
from geowarn.store.unit_of_work import SqlStore

CHANGES = {
    "ledger": "UPDATE ledger SET actor = 'someone else'",
    "bulletin": "UPDATE bulletin SET number = '1'",
    "bulletin_artefact": "UPDATE bulletin_artefact SET path = 'other'",
    "blob": "UPDATE blob SET sha256 = 'other'",
    "incident_publication": "UPDATE incident_publication SET statement = '{}'",
    "review_comment": "UPDATE review_comment SET text = 'other'",
    "consultation": "UPDATE consultation SET agreed = NOT agreed",
    "secrecy_check": "UPDATE secrecy_check SET account = 'other'",
    "answer_publication": "UPDATE answer_publication SET statement = '{}'",
}
REPLACEMENTS = {
    "ledger": "INSERT OR REPLACE INTO ledger SELECT sequence, at, 'someone else', kind, subject, payload, "
    "payload_digest, previous, digest FROM ledger",
    "bulletin": "INSERT OR REPLACE INTO bulletin SELECT * FROM bulletin",
    "bulletin_artefact": "INSERT OR REPLACE INTO bulletin_artefact SELECT * FROM bulletin_artefact",
    "incident_publication": "INSERT OR REPLACE INTO incident_publication SELECT * FROM incident_publication",
    "review_comment": "INSERT OR REPLACE INTO review_comment SELECT * FROM review_comment",
    "consultation": "INSERT OR REPLACE INTO consultation SELECT * FROM consultation",
    "secrecy_check": "INSERT OR REPLACE INTO secrecy_check SELECT * FROM secrecy_check",
    "answer_publication": "INSERT OR REPLACE INTO answer_publication SELECT * FROM answer_publication",
}


@pytest.fixture
def released(any_store: SqlStore) -> SqlStore:
    with any_store.begin() as work:
        rows.with_versions(work, 1)
        work.bulletins.add(rows.bulletin(1), rows.frozen(1))
        work.ledger.append(rows.NOON, "wang", "bulletin.released", "w-1", {})
        work.incidents.add(rows.incident())
        work.incidents.publish(rows.publication(1))
        work.answers.add(rows.incident())
        work.answers.publish(rows.publication(1))
        work.counsel.add_comment(COMMENT)
        work.counsel.add_consultation(TALK)
        work.counsel.add_check(CHECK)
        work.commit()
    return any_store


def refused(store: SqlStore, statement: str) -> bool:
    try:
        with store.engine.begin() as connection:
            connection.execute(text(statement))
    except DBAPIError as error:
        return "refuses" in str(error.orig)
    return False


@pytest.mark.parametrize("table", GUARDED)
def test_update_and_delete_are_refused(released: SqlStore, table: str) -> None:
    assert refused(released, CHANGES[table])
    assert refused(released, f"DELETE FROM {table}")


@pytest.mark.parametrize("table", GUARDED)
def test_the_way_round_is_refused_too(released: SqlStore, table: str) -> None:
    if released.engine.dialect.name == "postgresql":
        assert refused(released, f"TRUNCATE {table} CASCADE")
    elif table == "blob":
        with released.engine.begin() as connection:
            connection.execute(text("INSERT OR REPLACE INTO blob SELECT sha256, x'00' FROM blob"))
        with released.read() as work:
            assert work.bulletins.artefacts("b-1")["page"] == b"1"
    else:
        assert refused(released, REPLACEMENTS[table])


def test_a_guard_that_is_gone_is_missed(released: SqlStore) -> None:
    on = " ON ledger" if released.engine.dialect.name == "postgresql" else ""
    with released.engine.begin() as connection:
        assert missing_guards(connection) == []
        connection.execute(text(f"DROP TRIGGER refuse_delete_ledger{on}"))
        assert missing_guards(connection) == ["refuse_delete_ledger"]


def test_a_guard_that_is_gone_comes_back(released: SqlStore) -> None:
    postgres = released.engine.dialect.name == "postgresql"
    with released.engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER refuse_delete_ledger{' ON ledger' if postgres else ''}"))
        if postgres:
            connection.execute(text("ALTER TABLE blob DISABLE TRIGGER refuse_update_blob"))
        else:
            connection.execute(text("DROP TRIGGER refuse_update_blob"))
    with released.engine.begin() as connection:
        assert restore_guards(connection) == ["refuse_delete_ledger", "refuse_update_blob"]
        assert missing_guards(connection) == []
    assert refused(released, "DELETE FROM ledger")
