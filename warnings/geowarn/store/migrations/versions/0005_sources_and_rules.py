"""Runs in several files and parts, what happened to sources, rule sets switched on, alerts of the weather service."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_sources_and_rules"
down_revision = "0004_guards"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add columns and tables."""
    op.add_column("forecast", sa.Column("part", sa.Text(), nullable=False, server_default=""))
    op.add_column("forecast", sa.Column("origin", sa.Text(), nullable=False, server_default=""))
    op.add_column("forecast", sa.Column("files", sa.Text(), nullable=False, server_default="[]"))
    op.create_index(op.f("ix_forecast_origin"), "forecast", ["origin"], unique=False)
    op.add_column("assessment_run", sa.Column("beside", sa.Text(), nullable=True))
    op.create_index(op.f("ix_assessment_run_beside"), "assessment_run", ["beside"], unique=False)
    op.create_table(
        "rule_activation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["rule_set.digest"], name=op.f("fk_rule_activation_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_activation")),
    )
    op.create_index(op.f("ix_rule_activation_model"), "rule_activation", ["model"], unique=False)
    op.create_table(
        "source_event",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_event")),
    )
    op.create_index("ix_source_event_source_at", "source_event", ["source", "at"], unique=False)
    op.create_table(
        "companion_alert",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("sent", _TIME, nullable=False),
        sa.Column("onset", _TIME, nullable=False),
        sa.Column("expires", _TIME, nullable=False),
        sa.Column("areas", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("payload_digest", sa.String(length=64), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_companion_alert")),
    )
    op.create_index(op.f("ix_companion_alert_expires"), "companion_alert", ["expires"], unique=False)


def downgrade() -> None:
    """Remove them again."""
    for table in ("companion_alert", "source_event", "rule_activation"):
        op.drop_table(table)
    op.drop_index(op.f("ix_assessment_run_beside"), "assessment_run")
    op.drop_column("assessment_run", "beside")
    op.drop_index(op.f("ix_forecast_origin"), "forecast")
    for column in ("files", "origin", "part"):
        op.drop_column("forecast", column)
