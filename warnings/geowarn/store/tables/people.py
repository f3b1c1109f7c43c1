"""Places and people."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint

from geowarn.store.tables.base import DIGEST, ROW_NUMBER, later, metadata
from geowarn.store.types import JsonText, UtcTime

area = Table(
    "area",
    metadata,
    Column("code", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("parent", Text, later("area.code")),
    Column("lon", Float(53)),
    Column("lat", Float(53)),
    Column("population", BigInteger),
    Column("susceptibility", Text, nullable=False),
    Column("surveyed", Boolean, nullable=False),
    Column("geometry", JsonText),
    Column("official", Boolean, nullable=False),
)

recipient = Table(
    "recipient",
    metadata,
    Column("id", Text, primary_key=True),
    Column("phone_key", Text, nullable=False),
    Column("phone_sealed", LargeBinary, nullable=False),
    Column("phone_masked", Text, nullable=False),
    Column("area", Text, ForeignKey("area.code"), nullable=False),
    Column("language", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("consent", Text, nullable=False),
    Column("added_at", UtcTime, nullable=False),
    Column("opted_out_at", UtcTime),
    UniqueConstraint("phone_key", "area"),
    Index("ix_recipient_area_language_role", "area", "language", "role"),
)

account = Table(
    "account",
    metadata,
    Column("name", Text, primary_key=True),
    Column("display_zh", Text, nullable=False),
    Column("display_en", Text, nullable=False),
    Column("roles", JsonText, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("phone_sealed", LargeBinary),
    Column("phone_masked", Text, nullable=False),
    Column("areas", JsonText, nullable=False),
)

console_session = Table(
    "console_session",
    metadata,
    Column("token_sha256", DIGEST, primary_key=True),
    Column("account", Text, nullable=False),
    Column("form_token", Text, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("origin", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Column("waits_for_code", Boolean, nullable=False),
    Index("ix_console_session_account", "account"),
)

login_failure = Table(
    "login_failure",
    metadata,
    Column("id", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("account", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("ix_login_failure_account_at", "account", "at"),
)

shift = Table(
    "shift",
    metadata,
    Column("id", Text, primary_key=True),
    Column("officer", Text, nullable=False),
    Column("deputy", Text),
    Column("starts_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("leader", Text),
    Column("uid", Text),
    Index("ix_shift_starts_at", "starts_at"),
)
