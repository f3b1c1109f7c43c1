"""Proof and operation."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text, text

from geowarn.store.tables.base import DIGEST, metadata
from geowarn.store.types import JsonText, UtcTime

ledger = Table(
    "ledger",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("payload", Text, nullable=False),
    Column("payload_digest", DIGEST, nullable=False),
    Column("previous", DIGEST, nullable=False, unique=True),  # one successor each: no fork
    Column("digest", DIGEST, nullable=False, unique=True),
)

counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

_TASK_OPEN = text("closed_at IS NULL")

task = Table(
    "task",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("due_at", UtcTime),
    Column("closed_at", UtcTime),
    Column("facts", JsonText, nullable=False),
    Column("owner", Text),
    Column("acknowledged_at", UtcTime),
    Column("acknowledged_by", Text),
    Index("uq_task_open", "kind", "subject", unique=True, sqlite_where=_TASK_OPEN, postgresql_where=_TASK_OPEN),
)

fired = Table(
    "fired",
    metadata,
    Column("job", Text, primary_key=True),
    Column("slot", UtcTime, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("at", UtcTime, nullable=False),
)

station_poll = Table(
    "station_poll",
    metadata,
    Column("station", Text, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("sequence", BigInteger, nullable=False),
)

airing = Table(
    "airing",
    metadata,
    Column("station", Text, primary_key=True),
    Column("slug", Text, primary_key=True),
    Column("medium", Text, primary_key=True),
    Column("at", UtcTime, primary_key=True),
    Index("ix_airing_slug", "slug"),
)
