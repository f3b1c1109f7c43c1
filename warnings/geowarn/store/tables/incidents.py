"""After a disaster: statements, version by version. Answers to the public are kept in the same form."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text, UniqueConstraint

from geowarn.store.tables.base import DIGEST, metadata
from geowarn.store.types import JsonText, UtcTime


@dataclass(frozen=True, slots=True)
class StatementTables:
    """What is opened, its drafts, the signatures on them, and what was published."""

    opened: Table
    draft: Table
    signoff: Table
    publication: Table


def statement_tables(name: str) -> StatementTables:
    """The four tables of things that are said in versions, checked and signed; `name` is the first one's."""
    opened = Table(
        name,
        metadata,
        Column("id", Text, primary_key=True),
        Column("year", Integer, nullable=False),
        Column("serial", Integer, nullable=False),
        Column("opened_at", UtcTime, nullable=False),
        Column("synthetic", Boolean, nullable=False),
        UniqueConstraint("year", "serial"),
    )
    draft = Table(
        f"{name}_draft",
        metadata,
        Column("id", Text, primary_key=True),
        Column("incident_id", Text, ForeignKey(f"{name}.id"), nullable=False, index=True),
        Column("version", Integer, nullable=False),
        Column("statement", JsonText, nullable=False),
        Column("edited_by", Text, nullable=False),
        Column("edited_at", UtcTime, nullable=False),
        Column("status", Text, nullable=False),
        Column("checked_by", Text),
        Column("checked_at", UtcTime),
    )
    signoff = Table(
        f"{name}_signoff",
        metadata,
        Column("id", Text, primary_key=True),
        Column("draft_id", Text, ForeignKey(f"{name}_draft.id"), nullable=False, index=True),
        Column("digest", DIGEST, nullable=False),
        Column("user", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("at", UtcTime, nullable=False),
        Column("via", Text, nullable=False),
        Column("origin", Text, nullable=False),
        Column("second_factor", Text, nullable=False),
    )
    publication = Table(
        f"{name}_publication",
        metadata,
        Column("incident_id", Text, ForeignKey(f"{name}.id"), primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("statement", JsonText, nullable=False),
        Column("digest", DIGEST, nullable=False),
        Column("published_at", UtcTime, nullable=False),
        Column("checked_by", Text, nullable=False),
        Column("signed_by", JsonText, nullable=False),
    )
    return StatementTables(opened, draft, signoff, publication)


incidents = statement_tables("incident")
