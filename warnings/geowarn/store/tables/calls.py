"""Who must answer when a warning goes out, and whether they did."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, text

from geowarn.store.tables.base import metadata
from geowarn.store.types import UtcTime

call_contact = Table(
    "call_contact",
    metadata,
    Column("place", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("area", Text, ForeignKey("area.code"), nullable=False),
    Column("county", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("whereabouts", Text, nullable=False),
    Column("phone_key", Text, nullable=False),
    Column("phone_sealed", LargeBinary, nullable=False),
    Column("phone_masked", Text, nullable=False),
)

_OPEN = text("answered_at IS NULL AND ended_at IS NULL")

call = Table(
    "call",
    metadata,
    Column("id", Text, primary_key=True),
    Column("bulletin_id", Text, ForeignKey("bulletin.id"), nullable=False),
    Column("warning_id", Text, ForeignKey("hazard_warning.id"), nullable=False, index=True),
    Column("place", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("county", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("whereabouts", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("called_at", UtcTime, nullable=False),
    Column("next_seconds", Float(53), nullable=False),
    Column("turn_at", UtcTime, nullable=False),
    Column("until", UtcTime, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("answered_at", UtcTime),
    Column("answered_via", Text),
    Column("recorded_by", Text, nullable=False),
    Column("said_by", LargeBinary),
    Column("turned_at", UtcTime),
    Column("ended_at", UtcTime),
    UniqueConstraint("bulletin_id", "place"),
    Index("ix_call_open", "warning_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
)

call_ask = Table(
    "call_ask",
    metadata,
    Column("call_id", Text, ForeignKey("call.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("phone_key", Text, nullable=False, index=True),
    Column("phone_masked", Text, nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("failed_at", UtcTime),
)
