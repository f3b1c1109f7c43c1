"""After a disaster."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text, UniqueConstraint

from geowarn.store.tables.base import DIGEST, metadata
from geowarn.store.types import JsonText, UtcTime

incident = Table(
    "incident",
    metadata,
    Column("id", Text, primary_key=True),
    Column("year", Integer, nullable=False),
    Column("serial", Integer, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("synthetic", Boolean, nullable=False),
    UniqueConstraint("year", "serial"),
)

incident_draft = Table(
    "incident_draft",
    metadata,
    Column("id", Text, primary_key=True),
    Column("incident_id", Text, ForeignKey("incident.id"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("statement", JsonText, nullable=False),
    Column("edited_by", Text, nullable=False),
    Column("edited_at", UtcTime, nullable=False),
    Column("status", Text, nullable=False),
    Column("checked_by", Text),
    Column("checked_at", UtcTime),
)

incident_signoff = Table(
    "incident_signoff",
    metadata,
    Column("id", Text, primary_key=True),
    Column("draft_id", Text, ForeignKey("incident_draft.id"), nullable=False, index=True),
    Column("digest", DIGEST, nullable=False),
    Column("user", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("via", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("second_factor", Text, nullable=False),
)

incident_publication = Table(
    "incident_publication",
    metadata,
    Column("incident_id", Text, ForeignKey("incident.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("statement", JsonText, nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("published_at", UtcTime, nullable=False),
    Column("checked_by", Text, nullable=False),
    Column("signed_by", JsonText, nullable=False),
)
