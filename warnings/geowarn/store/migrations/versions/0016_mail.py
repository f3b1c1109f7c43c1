"""Who asked for warnings by mail, and how they confirmed it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016_mail"
down_revision = "0015_voices"
branch_labels = None
depends_on = None


def _when(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _wanted() -> list[sa.Column[Any]]:
    """The columns of an address and of what it wants to hear of."""
    return [
        sa.Column("address_sealed", sa.LargeBinary(), nullable=False),
        _text("address_masked"),
        _text("language"),
        _text("areas"),
        sa.Column("least", sa.Integer(), nullable=False),
    ]


def upgrade() -> None:
    """Create tables and columns."""
    op.create_table(
        "subscriber",
        _text("id"),
        sa.Column("address_key", sa.String(length=64), nullable=False),
        *_wanted(),
        _text("role"),
        _text("consent"),
        _when("added_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sa.UniqueConstraint("address_key", name=op.f("uq_subscriber_address_key")),
    )
    op.create_table(
        "subscription_asked",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        _text("kind"),
        sa.Column("address_key", sa.String(length=64), nullable=False),
        *_wanted(),
        _when("made_at"),
        _when("expires_at"),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_subscription_asked")),
    )
    for column in ("address_key", "expires_at"):
        op.create_index(op.f(f"ix_subscription_asked_{column}"), "subscription_asked", [column], unique=False)
    op.create_table(
        "letter",
        *(_text(name) for name in ("id", "kind", "subject", "person", "language", "facts")),
        _when("created_at"),
        _when("not_after"),
        sa.Column("alarm", sa.Boolean(), nullable=False),
        _text("state"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _when("next_try_at", True),
        _text("owner", True),
        _when("lease_until", True),
        _text("provider_id", True),
        _text("reason", True),
        _when("started_at", True),
        _when("settled_at", True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("kind", "subject", "person", name=op.f("uq_letter_kind_subject_person")),
    )
    op.create_index("ix_letter_settled_at_state", "letter", ["settled_at", "state"], unique=False)


def downgrade() -> None:
    """Remove them again."""
    for table in ("letter", "subscription_asked", "subscriber"):
        op.drop_table(table)
