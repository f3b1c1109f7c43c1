"""Other issuers' feeds and the messages that came through them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, PrimaryKeyConstraint, Table, Text

from geowarn.store.tables.base import DIGEST, metadata
from geowarn.store.types import JsonText, UtcTime

issuer_feed = Table(
    "issuer_feed",
    metadata,
    Column("name", Text, primary_key=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("known", JsonText, nullable=False),
    Column("tried_at", UtcTime),
    Column("heard_at", UtcTime),
    Column("newest_at", UtcTime),
    Column("silent_since", UtcTime),
    Column("failure", JsonText, nullable=False),
)

issuer_mark = Table(
    "issuer_mark",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("mark", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    PrimaryKeyConstraint("issuer", "address"),
)

issuer_message = Table(
    "issuer_message",
    metadata,
    Column("id", Text, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    Column("sent", UtcTime, nullable=False),
    Column("version", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("msg_type", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("expires", UtcTime, nullable=False),
    Column("clears", Boolean, nullable=False),
    Column("unplaced", Boolean, nullable=False),
    Column("codes", JsonText, nullable=False),
    Column("facts", JsonText, nullable=False),
    Column("remarks", JsonText, nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("payload", Text, nullable=False),
    Column("signed_by", Text, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("ended_by", Text, nullable=False),
    Index("ix_issuer_message_expires", "expires"),
    Index("ix_issuer_message_issuer_received_at", "issuer", "received_at"),
    Index("ix_issuer_message_sender_identifier", "sender", "identifier"),
)

# What a message replaces or cancels, whether that has come or not.
issuer_reference = Table(
    "issuer_reference",
    metadata,
    Column("message", Text, nullable=False),  # the one referred to
    Column("by", Text, nullable=False),
    PrimaryKeyConstraint("message", "by"),
)

issuer_refusal = Table(
    "issuer_refusal",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("facts", JsonText, nullable=False),
    Column("seen_at", UtcTime),
    Column("seen_by", Text, nullable=False),
    PrimaryKeyConstraint("issuer", "payload", "key"),
    Index("ix_issuer_refusal_issuer_at", "issuer", "at"),
)
