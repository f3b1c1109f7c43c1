"""Partners."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from geowarn.store.tables.base import DIGEST, ROW_NUMBER, metadata
from geowarn.store.types import JsonText, UtcTime

api_key = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("prefix", Text, nullable=False),
    Column("token_sha256", DIGEST, nullable=False, unique=True),
    Column("owner", Text, nullable=False),
    Column("of_account", Boolean, nullable=False),
    Column("scopes", JsonText, nullable=False),
    Column("per_minute", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("last_used_at", UtcTime),
    Column("signing_sealed", LargeBinary),
    Column("confirmed_at", UtcTime),
)

api_use = Table(
    "api_use",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("window", UtcTime, primary_key=True),
    Column("count", Integer, nullable=False),
)

api_nonce = Table(
    "api_nonce",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("nonce", Text, primary_key=True),
    Column("at", UtcTime, nullable=False),
)

api_request = Table(
    "api_request",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("idempotency_key", Text, primary_key=True),
    Column("fingerprint", DIGEST, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("status", Integer, nullable=False),
    Column("location", Text, nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
    Index("ix_api_request_at", "at"),
)

hook = Table(
    "hook",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("of_account", Boolean, nullable=False),
    Column("url", Text, nullable=False),
    Column("events", JsonText, nullable=False),
    Column("internal", Boolean, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("cursor", BigInteger, nullable=False),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("failing_since", UtcTime),
    Column("disabled_at", UtcTime),
    Column("enabled_at", UtcTime),
)

hook_delivery = Table(
    "hook_delivery",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hook_id", Text, ForeignKey("hook.id"), nullable=False),
    Column("event_key", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", UtcTime),
    Column("lease_until", UtcTime),
    Column("status", Integer),
    Column("milliseconds", Integer),
    Column("fault", Text),
    Column("subject", Text, nullable=False),
    UniqueConstraint("hook_id", "event_key"),
    Index("ix_hook_delivery_state", "state", "next_try_at"),
    Index("ix_hook_delivery_subject", "hook_id", "subject", "position"),
)

hook_attempt = Table(
    "hook_attempt",
    metadata,
    Column("id", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("delivery_id", Text, ForeignKey("hook_delivery.id"), nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
    Column("status", Integer),
    Column("milliseconds", Integer, nullable=False),
    Column("fault", Text),
)
