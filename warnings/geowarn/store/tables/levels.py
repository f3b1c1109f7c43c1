"""From forecast to level."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text

from geowarn.store.tables.base import DIGEST, later, metadata
from geowarn.store.types import JsonText, UtcTime

forecast = Table(
    "forecast",
    metadata,
    Column("id", Text, primary_key=True),
    Column("reader", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("payload_digest", DIGEST, nullable=False, index=True),
    Column("received_at", UtcTime, nullable=False, index=True),
    Column("run_time", UtcTime, nullable=False),
    Column("covers_from", UtcTime, nullable=False),
    Column("covers_to", UtcTime, nullable=False, index=True),
    Column("fields", Integer, nullable=False),
    Column("has_forecast", Boolean, nullable=False),
    Column("has_observed", Boolean, nullable=False),
    Column("synthetic", Boolean, nullable=False),
    Column("part", Text, nullable=False, server_default=""),
    Column("origin", Text, nullable=False, server_default="", index=True),
    Column("files", JsonText, nullable=False, server_default="[]"),
)

rule_set = Table(
    "rule_set",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("calibrated", Boolean, nullable=False),
    Column("parameters", JsonText, nullable=False),
    Column("sources", JsonText, nullable=False),
    Column("text", Text, nullable=False),
)

rule_activation = Table(
    "rule_activation",
    metadata,
    Column("id", Text, primary_key=True),
    Column("model", Text, nullable=False, index=True),
    Column("digest", DIGEST, ForeignKey("rule_set.digest"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

source_event = Table(
    "source_event",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("kind", Text, nullable=False),
    Column("facts", JsonText, nullable=False),
    Index("ix_source_event_source_at", "source", "at"),
)

companion_alert = Table(
    "companion_alert",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sender", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    Column("sent", UtcTime, nullable=False),
    Column("onset", UtcTime, nullable=False),
    Column("expires", UtcTime, nullable=False, index=True),
    Column("areas", JsonText, nullable=False),
    Column("facts", JsonText, nullable=False),
    Column("payload_digest", DIGEST, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("ended_by", Text),
)

assessment_run = Table(
    "assessment_run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("forecast_id", Text, ForeignKey("forecast.id"), nullable=False),
    Column("inputs", JsonText, nullable=False),
    Column("model", Text, nullable=False),
    Column("rules", Text, nullable=False),
    Column("rules_digest", DIGEST, later("rule_set.digest"), nullable=False),
    Column("areas_digest", DIGEST, nullable=False),
    Column("window_start", UtcTime, nullable=False),
    Column("window_end", UtcTime, nullable=False),
    Column("run_time", UtcTime, nullable=False),
    Column("age_hours", Float(53), nullable=False),
    Column("created_at", UtcTime, nullable=False, index=True),
    Column("synthetic", Boolean, nullable=False),
    Column("calibrated", Boolean, nullable=False),
    Column("stale_reason", Text),
    Column("beside", Text, index=True),
)

assessment = Table(
    "assessment",
    metadata,
    Column("run_id", Text, ForeignKey("assessment_run.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("area", Text, nullable=False),
    Column("level", Integer),  # null: cannot classify, which is not "none"
    Column("lower_bound", Boolean, nullable=False),
    Column("evidence", JsonText, nullable=False),
)
