"""Triggers that refuse to change what must never change (house rule 13).

What has been released and what the ledger says is only ever added to. The same sentences serve the migration that
creates the triggers and the check that looks for them.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

FIRST_GUARDED = ("ledger", "bulletin", "bulletin_artefact", "blob")
GUARDED = (
    *FIRST_GUARDED,
    "incident_publication",
    "review_comment",
    "consultation",
    "secrecy_check",
    "answer_publication",
)
_FUNCTION = "geowarn_refuse_change"

# SQLite's INSERT OR REPLACE removes the row in its way without asking a DELETE trigger: caught before the insert.
# Bytes are kept by digest, so storing the same ones again is no fault and simply changes nothing.
_IN_THE_WAY = {
    "ledger": "sequence = NEW.sequence OR previous = NEW.previous OR digest = NEW.digest",
    "bulletin": "id = NEW.id OR slug = NEW.slug OR release_order = NEW.release_order "
    "OR (proposal_id = NEW.proposal_id AND act = NEW.act) "
    "OR (series = NEW.series AND year = NEW.year AND serial = NEW.serial)",
    "bulletin_artefact": "bulletin_id = NEW.bulletin_id AND path = NEW.path",
    "blob": "sha256 = NEW.sha256",
    "incident_publication": "incident_id = NEW.incident_id AND version = NEW.version",
    "review_comment": "id = NEW.id",
    "consultation": "id = NEW.id",
    "secrecy_check": "id = NEW.id",
    "answer_publication": "incident_id = NEW.incident_id AND version = NEW.version",
}


def _name(table: str, act: str) -> str:
    return f"refuse_{act.lower()}_{table}"


def _acts(dialect: str) -> tuple[str, ...]:
    return ("UPDATE", "DELETE", "TRUNCATE") if dialect == "postgresql" else ("UPDATE", "DELETE", "REPLACE")


def _on_sqlite(table: str, act: str) -> str:
    refusal = f"RAISE(ABORT, '{table} refuses {act}')"
    if act != "REPLACE":
        return f"CREATE TRIGGER {_name(table, act)} BEFORE {act} ON {table} BEGIN SELECT {refusal}; END"
    answer = "RAISE(IGNORE)" if table == "blob" else refusal
    found = f"EXISTS (SELECT 1 FROM {table} WHERE {_IN_THE_WAY[table]})"  # noqa: S608 -- our own words
    return f"CREATE TRIGGER {_name(table, act)} BEFORE INSERT ON {table} WHEN {found} BEGIN SELECT {answer}; END"


def guard_names(dialect: str) -> frozenset[str]:
    """The names of all triggers on this kind of database."""
    return frozenset(_name(table, act) for table in GUARDED for act in _acts(dialect))


def creating(dialect: str, tables: tuple[str, ...] = FIRST_GUARDED) -> list[str]:
    """The statements that create the triggers of these tables; the first ones bring PostgreSQL's function along."""
    triggers = [_creating(table, act, dialect) for table in tables for act in _acts(dialect)]
    if dialect != "postgresql" or tables != FIRST_GUARDED:
        return triggers
    function = (
        f"CREATE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% refuses %', TG_TABLE_NAME, TG_OP; END $$"
    )
    return [function, *triggers]


def _creating(table: str, act: str, dialect: str) -> str:
    if dialect != "postgresql":
        return _on_sqlite(table, act)
    each = "STATEMENT" if act == "TRUNCATE" else "ROW"
    trigger = f"CREATE TRIGGER {_name(table, act)} BEFORE {act} ON {table}"
    return f"{trigger} FOR EACH {each} EXECUTE FUNCTION {_FUNCTION}()"


def restore_guards(connection: Connection) -> list[str]:
    """Create again, or switch on again, each trigger that is missing; returns their names."""
    dialect, missing = connection.dialect.name, missing_guards(connection)
    for table in GUARDED:
        for act in _acts(dialect):
            if _name(table, act) not in missing:
                continue
            if dialect == "postgresql":  # it may be there, only switched off
                connection.execute(text(f"DROP TRIGGER IF EXISTS {_name(table, act)} ON {table}"))
            connection.execute(text(_creating(table, act, dialect)))
    return missing


def dropping(dialect: str, tables: tuple[str, ...] = FIRST_GUARDED) -> list[str]:
    """The statements that remove these tables' triggers, for going back to an earlier schema."""
    on = " ON {table}" if dialect == "postgresql" else ""
    drops = [f"DROP TRIGGER {_name(table, act)}{on.format(table=table)}" for table in tables for act in _acts(dialect)]
    return drops + ([f"DROP FUNCTION {_FUNCTION}()"] if dialect == "postgresql" and tables == FIRST_GUARDED else [])


def missing_guards(connection: Connection) -> list[str]:
    """The triggers that are not there, or on PostgreSQL are switched off."""
    dialect = connection.dialect.name
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
        if dialect == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    present = {str(row[0]) for row in connection.execute(text(query))}
    return sorted(guard_names(dialect) - present)
