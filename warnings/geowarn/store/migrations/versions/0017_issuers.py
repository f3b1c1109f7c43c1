"""Feeds of other issuers' warnings, and what was last read of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017_issuers"
down_revision = "0016_mail"
branch_labels = None
depends_on = None

_TEXT, _TIME = sa.Text(), sa.DateTime(timezone=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=False)


def upgrade() -> None:
    """Create tables and columns."""
    op.create_table(
        "issuer_feed",
        *map(_text, ("name", "name_zh", "name_en", "page")),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        _text("known"),
        *(sa.Column(name, _TIME, nullable=True) for name in ("tried_at", "heard_at", "newest_at", "silent_since")),
        _text("failure"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_issuer_feed")),
    )
    op.create_table(
        "issuer_mark",
        *map(_text, ("issuer", "address", "mark")),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("issuer", "address", name=op.f("pk_issuer_mark")),
    )
    _messages()
    op.create_table(
        "issuer_refusal",
        *map(_text, ("issuer", "payload", "key", "file")),
        sa.Column("at", _TIME, nullable=False),
        _text("facts"),
        sa.Column("seen_at", _TIME, nullable=True),
        _text("seen_by"),
        sa.PrimaryKeyConstraint("issuer", "payload", "key", name=op.f("pk_issuer_refusal")),
    )
    op.create_index(op.f("ix_issuer_refusal_issuer_at"), "issuer_refusal", ["issuer", "at"], unique=False)


def _messages() -> None:
    op.create_table(
        "issuer_message",
        *map(_text, ("id", "issuer", "sender", "identifier")),
        sa.Column("sent", _TIME, nullable=False),
        *map(_text, ("version", "status", "msg_type", "outcome")),
        sa.Column("expires", _TIME, nullable=False),
        sa.Column("clears", sa.Boolean(), nullable=False),
        sa.Column("unplaced", sa.Boolean(), nullable=False),
        *map(_text, ("codes", "facts", "remarks")),
        sa.Column("digest", sa.String(length=64), nullable=False),
        *map(_text, ("payload", "signed_by")),
        sa.Column("received_at", _TIME, nullable=False),
        _text("ended_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issuer_message")),
    )
    for columns in (["expires"], ["issuer", "received_at"], ["sender", "identifier"]):
        op.create_index(op.f(f"ix_issuer_message_{'_'.join(columns)}"), "issuer_message", columns, unique=False)
    op.create_table(
        "issuer_reference",
        *map(_text, ("message", "by")),
        sa.PrimaryKeyConstraint("message", "by", name=op.f("pk_issuer_reference")),
    )


def downgrade() -> None:
    """Remove them again."""
    for table in ("issuer_refusal", "issuer_reference", "issuer_message", "issuer_mark", "issuer_feed"):
        op.drop_table(table)
