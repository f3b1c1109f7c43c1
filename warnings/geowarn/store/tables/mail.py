"""Who gets warnings by mail, what waits for a confirmation, and letters on their way."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from geowarn.store.tables.base import DIGEST, metadata
from geowarn.store.types import JsonText, UtcTime

subscriber = Table(
    "subscriber",
    metadata,
    Column("id", Text, primary_key=True),
    Column("address_key", DIGEST, nullable=False, unique=True),
    Column("address_sealed", LargeBinary, nullable=False),
    Column("address_masked", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("areas", JsonText, nullable=False),
    Column("least", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("consent", Text, nullable=False),
    Column("added_at", UtcTime, nullable=False),
)

subscription_asked = Table(
    "subscription_asked",
    metadata,
    Column("token_sha256", DIGEST, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("address_key", DIGEST, nullable=False, index=True),
    Column("address_sealed", LargeBinary, nullable=False),
    Column("address_masked", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("areas", JsonText, nullable=False),
    Column("least", Integer, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False, index=True),
)

letter = Table(
    "letter",
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
    Index("ix_letter_settled_at_state", "settled_at", "state"),
)
