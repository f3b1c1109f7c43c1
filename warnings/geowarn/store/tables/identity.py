"""Second factors, invitations, changes that wait for a second person, warnings of other issuers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text

from geowarn.store.tables.base import DIGEST, metadata
from geowarn.store.types import JsonText, UtcTime

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

invitation = Table(
    "invitation",
    metadata,
    Column("key", DIGEST, primary_key=True),
    Column("account", Text, ForeignKey("account.name"), nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Index("ix_invitation_account", "account"),
)

pending_change = Table(
    "pending_change",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("wanted", JsonText, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", UtcTime),
    Column("outcome", Text, nullable=False),
    Index("ix_pending_change_outcome", "outcome"),
)

outside_warning = Table(
    "outside_warning",
    metadata,
    Column("id", Text, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("places", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("entered_by", Text, nullable=False),
    Column("entered_at", UtcTime, nullable=False),
    Column("ended_by", Text),
    Column("ended_at", UtcTime),
    Index("ix_outside_warning_ends_at", "ends_at"),
)
