"""Exercises and what permits them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from geowarn.store.tables.base import DIGEST, metadata
from geowarn.store.types import UtcTime

exercise_permit = Table(
    "exercise_permit",
    metadata,
    Column("id", Text, primary_key=True),
    Column("granted_by", Text, nullable=False),
    Column("granted_at", UtcTime, nullable=False, index=True),
    Column("until", UtcTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("used_at", UtcTime),
    Column("exercise_id", Text),
)

RUNNING = text("status = 'running'")

exercise = Table(
    "exercise",
    metadata,
    Column("id", Text, primary_key=True),
    Column("year", Integer, nullable=False),
    Column("serial", Integer, nullable=False),
    Column("title_zh", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("director", Text, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("code_sha256", DIGEST, nullable=False),
    Column("warning_id", Text, ForeignKey("hazard_warning.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("permit_id", Text, ForeignKey("exercise_permit.id"), unique=True),
    Column("ended_at", UtcTime),
    Column("ended_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    UniqueConstraint("year", "serial"),
    Index("uq_exercise_running", "status", unique=True, sqlite_where=RUNNING, postgresql_where=RUNNING),
)
