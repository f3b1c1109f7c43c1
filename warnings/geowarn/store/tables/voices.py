"""What people say, and the answers that are published."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, LargeBinary, Table, Text

from geowarn.store.tables.base import DIGEST, metadata
from geowarn.store.tables.incidents import statement_tables
from geowarn.store.types import UtcTime

answers = statement_tables("answer")

voice = Table(
    "voice",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("sign", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("received_at", UtcTime, nullable=False, index=True),
    Column("due_at", UtcTime, nullable=False),
    Column("area", Text, nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("fold_key", Text, nullable=False, index=True),
    Column("from_key", Text, nullable=False, index=True),
    Column("said_sealed", LargeBinary),
    Column("contact_sealed", LargeBinary),
    Column("contact_masked", Text, nullable=False),
    Column("photo", Boolean, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("changed_at", UtcTime),
    Column("owner", Text, nullable=False),
    Column("folded_into", Text, ForeignKey("voice.id"), index=True),
    Column("warning_id", Text, ForeignKey("hazard_warning.id")),
    Column("incident_id", Text, ForeignKey("incident.id")),
    Column("answer_id", Text, ForeignKey("answer.id"), index=True),
    Column("erased_at", UtcTime),
)

voice_photo = Table(
    "voice_photo",
    metadata,
    Column("voice_id", Text, ForeignKey("voice.id"), primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("sha256", DIGEST, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

voice_act = Table(
    "voice_act",
    metadata,
    Column("id", Text, primary_key=True),
    Column("voice_id", Text, ForeignKey("voice.id"), nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
    Column("user", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("told", Boolean, nullable=False),
)
