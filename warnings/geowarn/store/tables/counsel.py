"""Beside the signatures: comments, consultations, secrecy checks, codes to sign with."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text

from geowarn.store.tables.base import DIGEST, metadata
from geowarn.store.types import UtcTime

review_comment = Table(
    "review_comment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("warning_id", Text, ForeignKey("hazard_warning.id"), nullable=False, index=True),
    Column("proposal_id", Text, ForeignKey("proposal.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("account", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("text", Text, nullable=False),
)

consultation = Table(
    "consultation",
    metadata,
    Column("id", Text, primary_key=True),
    Column("proposal_id", Text, ForeignKey("proposal.id"), nullable=False, index=True),
    Column("package_sha256", DIGEST, nullable=False),
    Column("spoke_with", Text, nullable=False),
    Column("spoken_at", UtcTime, nullable=False),
    Column("agreed", Boolean, nullable=False),
    Column("words", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("via", Text, nullable=False),
    Column("origin", Text, nullable=False),
)

secrecy_check = Table(
    "secrecy_check",
    metadata,
    Column("id", Text, primary_key=True),
    Column("proposal_id", Text, ForeignKey("proposal.id"), nullable=False, index=True),
    Column("package_sha256", DIGEST, nullable=False),
    Column("account", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("via", Text, nullable=False),
    Column("origin", Text, nullable=False),
)

sign_code = Table(
    "sign_code",
    metadata,
    Column("id", Text, primary_key=True),
    Column("code_key", DIGEST, nullable=False),
    Column("warning_id", Text, ForeignKey("hazard_warning.id"), nullable=False, index=True),
    Column("proposal_id", Text, ForeignKey("proposal.id"), nullable=False),
    Column("package_sha256", DIGEST, nullable=False),
    Column("account", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("used_at", UtcTime),
)
