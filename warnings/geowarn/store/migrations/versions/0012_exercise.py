"""Exercises and what permits them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012_exercise"
down_revision = "0011_review"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_RUNNING = sa.text("status = 'running'")


def upgrade() -> None:
    """Create tables and columns."""
    op.create_table(
        "exercise_permit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_at", _TIME, nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.Column("exercise_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercise_permit")),
    )
    op.create_index(op.f("ix_exercise_permit_granted_at"), "exercise_permit", ["granted_at"], unique=False)
    op.create_table(
        "exercise",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("director", sa.Text(), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME, nullable=False),
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("warning_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("permit_id", sa.Text(), nullable=True),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["permit_id"], ["exercise_permit.id"], name=op.f("fk_exercise_permit_id")),
        sa.ForeignKeyConstraint(["warning_id"], ["hazard_warning.id"], name=op.f("fk_exercise_warning_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercise")),
        sa.UniqueConstraint("permit_id", name=op.f("uq_exercise_permit_id")),
        sa.UniqueConstraint("year", "serial", name=op.f("uq_exercise_year_serial")),
    )
    op.create_index(
        op.f("uq_exercise_running"),
        "exercise",
        ["status"],
        unique=True,
        sqlite_where=_RUNNING,
        postgresql_where=_RUNNING,
    )


def downgrade() -> None:
    """Remove them again."""
    op.drop_index(op.f("uq_exercise_running"), table_name="exercise")
    op.drop_table("exercise")
    op.drop_index(op.f("ix_exercise_permit_granted_at"), table_name="exercise_permit")
    op.drop_table("exercise_permit")
