"""Public pages and the terms they are found by."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, PrimaryKeyConstraint, Table, Text

from geowarn.store.tables.base import DIGEST, ROW_NUMBER, metadata
from geowarn.store.types import JsonText, UtcTime

# Compared by bytes, as SQLite does by itself: what begins alike stands together, whatever the server's language.
TERM = Text(collation="C").with_variant(Text(), "sqlite")

search_document = Table(
    "search_document",
    metadata,
    Column("number", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False, index=True),
    Column("family", Text, nullable=False),
    Column("at", UtcTime),
    Column("length", Integer, nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("body", JsonText, nullable=False),
)

search_term = Table(
    "search_term",
    metadata,
    Column("term", TERM, nullable=False),
    Column("document", ROW_NUMBER, ForeignKey("search_document.number"), nullable=False, index=True),
    Column("in_title", Integer, nullable=False),
    Column("in_text", Integer, nullable=False),
    PrimaryKeyConstraint("term", "document"),
    sqlite_with_rowid=False,
)
