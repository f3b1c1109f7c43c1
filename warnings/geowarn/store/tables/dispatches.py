"""Dispatch."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from geowarn.store.tables.base import ROW_NUMBER, metadata
from geowarn.store.types import UtcTime

shard = Table(
    "shard",
    metadata,
    Column("id", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("bulletin_id", Text, ForeignKey("bulletin.id"), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("release_at", UtcTime, nullable=False),
)

dispatch = Table(
    "dispatch",
    metadata,
    Column("id", Text, primary_key=True),
    Column("bulletin_id", Text, ForeignKey("bulletin.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("target_key", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("tier", Integer, nullable=False),
    Column("shard", Text, ForeignKey("shard.id"), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("release_at", UtcTime, nullable=False),
    Column("not_after", UtcTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", UtcTime),
    Column("owner", Text),
    Column("lease_until", UtcTime),
    Column("provider_id", Text),
    Column("reason", Text),
    Column("started_at", UtcTime),
    Column("accepted_at", UtcTime),
    Column("delivered_at", UtcTime),
    UniqueConstraint("bulletin_id", "channel", "target_key"),
    CheckConstraint(
        "state IN ('new', 'sending', 'accepted', 'delivered', 'failed', 'in-doubt', 'expired-unsent')", name="state"
    ),
    Index("ix_dispatch_counts", "bulletin_id", "channel", "state"),
    Index("ix_dispatch_provider_id", "channel", "provider_id"),
    # A sweep looks up a shard and a state, or a state: it costs what is still open, not what was ever sent.
    Index("ix_dispatch_open", "shard", "state", "not_after"),
    Index("ix_dispatch_state", "state", "not_after"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("dispatch_id", Text, ForeignKey("dispatch.id"), nullable=False, index=True),
    Column("began", UtcTime, nullable=False),
    Column("ended", UtcTime, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("provider_id", Text),
)
