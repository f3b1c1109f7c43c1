"""Notices to people on duty; confirmations of shifts, swaps, hand-overs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_roster"
down_revision = "0008_identity"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create tables and columns."""
    op.create_table(
        "notice",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("not_after", _TIME, nullable=False),
        sa.Column("alarm", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", _TIME, nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", _TIME, nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("started_at", _TIME, nullable=True),
        sa.Column("settled_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("kind", "subject", "person", name=op.f("uq_notice_kind_subject_person")),
    )
    for columns in (("settled_at", "state"), ("subject",), ("provider_id",)):
        op.create_index(f"ix_notice_{'_'.join(columns)}", "notice", list(columns), unique=False)


def downgrade() -> None:
    """Remove them again."""
    op.drop_table("notice")
