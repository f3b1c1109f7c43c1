"""Chains that ring, and releases that are reviewed afterwards."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text, text

from geowarn.store.tables.base import DIGEST, metadata
from geowarn.store.types import JsonText, UtcTime

_OPEN = text("ended_at IS NULL")

escalation = Table(
    "escalation",
    metadata,
    Column("id", Text, primary_key=True),
    Column("task_id", Text, ForeignKey("task.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("level", Text, nullable=False),
    Column("posts", JsonText, nullable=False),
    Column("skipped", JsonText, nullable=False),
    Column("shift", Text),
    Column("started_at", UtcTime, nullable=False),
    Column("window_seconds", Float(53), nullable=False),
    Column("decide_by", UtcTime, nullable=False),
    Column("on_silence", Text, nullable=False),
    Column("ended_at", UtcTime),
    Column("outcome", Text, nullable=False),
    Index("uq_escalation_open", "task_id", "step", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)

escalation_step = Table(
    "escalation_step",
    metadata,
    Column("escalation_id", Text, ForeignKey("escalation.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("person", Text, primary_key=True),
    Column("due_at", UtcTime, nullable=False),
    Column("rung_at", UtcTime, nullable=False),
    Column("told", Boolean, nullable=False),
)

escalation_answer = Table(
    "escalation_answer",
    metadata,
    Column("escalation_id", Text, ForeignKey("escalation.id"), primary_key=True),
    Column("person", Text, primary_key=True),
    Column("at", UtcTime, primary_key=True),
)

emergency_release = Table(
    "emergency_release",
    metadata,
    Column("bulletin_id", Text, ForeignKey("bulletin.id"), primary_key=True),
    Column("warning_id", Text, ForeignKey("hazard_warning.id"), nullable=False, index=True),
    Column("proposal_id", Text, ForeignKey("proposal.id"), nullable=False),
    Column("package_sha256", DIGEST, nullable=False),
    Column("missing", JsonText, nullable=False),
    Column("released_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("settled_at", UtcTime),
    Column("settled_by", Text, nullable=False),
)
