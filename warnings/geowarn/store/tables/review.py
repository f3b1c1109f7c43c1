"""Review and release."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Table, Text, UniqueConstraint

from geowarn.store.tables.base import DIGEST, later, metadata
from geowarn.store.types import JsonText, UtcTime

hazard_warning = Table(
    "hazard_warning",
    metadata,
    Column("id", Text, primary_key=True),
    Column("series", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("opened_at", UtcTime, nullable=False, index=True),
    Column("ended_at", UtcTime),
)

blob = Table(
    "blob",
    metadata,
    Column("sha256", DIGEST, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

package = Table(
    "package",
    metadata,
    Column("sha256", DIGEST, primary_key=True),
    Column("content", JsonText, nullable=False),
    Column("retraction", DIGEST, later("package.sha256")),
)

package_artefact = Table(
    "package_artefact",
    metadata,
    Column("package_sha256", DIGEST, ForeignKey("package.sha256"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sha256", DIGEST, ForeignKey("blob.sha256"), nullable=False),
)

proposal = Table(
    "proposal",
    metadata,
    Column("id", Text, primary_key=True),
    Column("warning_id", Text, ForeignKey("hazard_warning.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("content", JsonText, nullable=False),
    Column("package_sha256", DIGEST, ForeignKey("package.sha256"), nullable=False),
    Column("edited_by", Text, nullable=False),
    Column("edited_at", UtcTime, nullable=False),
    Column("status", Text, nullable=False, index=True),
    Column("status_reason", Text, nullable=False),
    UniqueConstraint("warning_id", "version"),
)

signoff = Table(
    "signoff",
    metadata,
    Column("id", Text, primary_key=True),
    Column("proposal_id", Text, ForeignKey("proposal.id"), nullable=False, index=True),
    Column("package_sha256", DIGEST, nullable=False),
    Column("account", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("via", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("second_factor", Text, nullable=False),
    Column("voided_at", UtcTime),
)

bulletin = Table(
    "bulletin",
    metadata,
    Column("id", Text, primary_key=True),
    Column("release_order", Integer, nullable=False, unique=True),
    Column("warning_id", Text, ForeignKey("hazard_warning.id"), nullable=False, index=True),
    Column("proposal_id", Text, ForeignKey("proposal.id"), nullable=False),
    Column("act", Text, nullable=False),
    Column("series", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("serial", Integer, nullable=False),
    Column("number", Text, nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    Column("released_at", UtcTime, nullable=False),
    Column("content", JsonText, nullable=False),
    Column("package_sha256", DIGEST, nullable=False),
    Column("late", JsonText, nullable=False),
    UniqueConstraint("series", "year", "serial"),
    UniqueConstraint("proposal_id", "act"),  # a version is released once; its prepared retraction is the other act
)

bulletin_artefact = Table(
    "bulletin_artefact",
    metadata,
    Column("bulletin_id", Text, ForeignKey("bulletin.id"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("sha256", DIGEST, ForeignKey("blob.sha256"), nullable=False),
)
