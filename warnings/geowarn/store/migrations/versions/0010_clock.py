"""Chains of escalation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_clock"
down_revision = "0009_roster"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Create tables and columns."""
    op.create_table(
        "escalation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("posts", sa.Text(), nullable=False),
        sa.Column("skipped", sa.Text(), nullable=False),
        sa.Column("shift", sa.Text(), nullable=True),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("window_seconds", sa.Float(53), nullable=False),
        sa.Column("decide_by", _TIME, nullable=False),
        sa.Column("on_silence", sa.Text(), nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_escalation_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation")),
    )
    op.create_index(op.f("ix_escalation_task_id"), "escalation", ["task_id"], unique=False)
    op.create_index(
        "uq_escalation_open",
        "escalation",
        ["task_id", "step"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_table(
        "escalation_step",
        sa.Column("escalation_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("rung_at", _TIME, nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["escalation_id"], ["escalation.id"], name=op.f("fk_escalation_step_escalation_id")),
        sa.PrimaryKeyConstraint("escalation_id", "number", "person", name=op.f("pk_escalation_step")),
    )
    op.create_table(
        "escalation_answer",
        sa.Column("escalation_id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["escalation_id"], ["escalation.id"], name=op.f("fk_escalation_answer_escalation_id")),
        sa.PrimaryKeyConstraint("escalation_id", "person", "at", name=op.f("pk_escalation_answer")),
    )
    op.create_table(
        "emergency_release",
        sa.Column("bulletin_id", sa.Text(), nullable=False),
        sa.Column("warning_id", sa.Text(), nullable=False),
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("package_sha256", sa.String(length=64), nullable=False),
        sa.Column("missing", sa.Text(), nullable=False),
        sa.Column("released_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("settled_at", _TIME, nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["bulletin_id"], ["bulletin.id"], name=op.f("fk_emergency_release_bulletin_id")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_emergency_release_proposal_id")),
        sa.ForeignKeyConstraint(["warning_id"], ["hazard_warning.id"], name=op.f("fk_emergency_release_warning_id")),
        sa.PrimaryKeyConstraint("bulletin_id", name=op.f("pk_emergency_release")),
    )
    op.create_index(op.f("ix_emergency_release_warning_id"), "emergency_release", ["warning_id"], unique=False)


def downgrade() -> None:
    """Remove them again."""
    for table in ("emergency_release", "escalation_answer", "escalation_step", "escalation"):
        op.drop_table(table)
