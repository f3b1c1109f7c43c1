"""How people on duty are told, asked and relieved."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, UniqueConstraint

from geowarn.store.tables.base import metadata
from geowarn.store.types import JsonText, UtcTime

notice = Table(
    "notice",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("facts", JsonText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("not_after", UtcTime, nullable=False),
    Column("alarm", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", UtcTime),
    Column("owner", Text),
    Column("lease_until", UtcTime),
    Column("provider_id", Text),
    Column("reason", Text),
    Column("started_at", UtcTime),
    Column("settled_at", UtcTime),
    UniqueConstraint("kind", "subject", "person"),
    Index("ix_notice_settled_at_state", "settled_at", "state"),
    Index("ix_notice_subject", "subject"),
    Index("ix_notice_provider_id", "provider_id"),
)
