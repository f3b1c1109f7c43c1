"""How people on duty are told, asked and relieved."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, UniqueConstraint

from geowarn.store.tables.base import DIGEST, metadata
from geowarn.store.types import JsonText, UtcTime


def message_table(name: str, *more: Index) -> Table:
    """Messages on their way to people, claimed, sent and settled one by one."""
    return Table(
        name,
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
        Index(f"ix_{name}_settled_at_state", "settled_at", "state"),
        *more,
    )


notice = message_table("notice", Index("ix_notice_subject", "subject"), Index("ix_notice_provider_id", "provider_id"))

shift_ask = Table(
    "shift_ask",
    metadata,
    Column("id", Text, primary_key=True),
    Column("shift", Text, nullable=False),
    Column("person", Text, nullable=False, index=True),
    Column("hours", Integer, nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("code_sha256", DIGEST, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("answered_at", UtcTime),
    Column("answer", Text),
    Column("via", Text),
    Column("recorded_by", Text),
    UniqueConstraint("shift", "person", "hours"),
)

shift_swap = Table(
    "shift_swap",
    metadata,
    Column("id", Text, primary_key=True),
    Column("shift", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("giver", Text, nullable=False),
    Column("taker", Text, nullable=False),
    Column("starts_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("agreed_at", UtcTime),
    Column("decided_by", Text),
    Column("decided_at", UtcTime),
)

handover = Table(
    "handover",
    metadata,
    Column("id", Text, primary_key=True),
    Column("shift", Text, nullable=False, unique=True),
    Column("giver", Text, nullable=False),
    Column("next_shift", Text),
    Column("taker", Text),
    Column("given_at", UtcTime, nullable=False, index=True),
    Column("notes", Text, nullable=False),
    Column("facts", JsonText, nullable=False),
    Column("taken_by", Text),
    Column("taken_at", UtcTime),
)
