"""Second factors and recovery codes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, Table, Text

from geowarn.store.tables.base import DIGEST, metadata
from geowarn.store.types import UtcTime

second_factor = Table(
    "second_factor",
    metadata,
    Column("account", Text, ForeignKey("account.name"), primary_key=True),
    Column("secret", LargeBinary),
    Column("confirmed_at", UtcTime),
    Column("last_step", BigInteger, nullable=False),
    Column("pending", LargeBinary),
    Column("enrolled_at", UtcTime),
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("account", Text, ForeignKey("account.name"), primary_key=True),
    Column("key", DIGEST, primary_key=True),
    Column("used_at", UtcTime),
)
