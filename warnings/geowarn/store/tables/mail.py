"""Who gets warnings by mail, what waits for a confirmation, and letters on their way."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, Table, Text

from geowarn.store.tables.base import DIGEST, metadata
from geowarn.store.tables.roster import message_table
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

letter = message_table("letter")
