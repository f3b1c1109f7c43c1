"""Forecasts, assessments, proposals with their packages, signatures and bulletins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_levels_and_review"
down_revision = "0001_places_and_people"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "forecast",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("payload_digest", sa.String(length=64), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("run_time", _TIME, nullable=False),
        sa.Column("covers_from", _TIME, nullable=False),
        sa.Column("covers_to", _TIME, nullable=False),
        sa.Column("fields", sa.Integer(), nullable=False),
        sa.Column("has_forecast", sa.Boolean(), nullable=False),
        sa.Column("has_observed", sa.Boolean(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast")),
    )
    op.create_index(op.f("ix_forecast_covers_to"), "forecast", ["covers_to"], unique=False)
    op.create_index(op.f("ix_forecast_payload_digest"), "forecast", ["payload_digest"], unique=False)
    op.create_index(op.f("ix_forecast_received_at"), "forecast", ["received_at"], unique=False)
    op.create_table(
        "rule_set",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("calibrated", sa.Boolean(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_rule_set")),
    )
    op.create_table(
        "assessment_run",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("forecast_id", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("rules_digest", sa.String(length=64), nullable=False),
        sa.Column("areas_digest", sa.String(length=64), nullable=False),
        sa.Column("window_start", _TIME, nullable=False),
        sa.Column("window_end", _TIME, nullable=False),
        sa.Column("run_time", _TIME, nullable=False),
        sa.Column("age_hours", sa.Float(precision=53), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("calibrated", sa.Boolean(), nullable=False),
        sa.Column("stale_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["forecast_id"], ["forecast.id"], name=op.f("fk_assessment_run_forecast_id")),
        sa.ForeignKeyConstraint(
            ["rules_digest"],
            ["rule_set.digest"],
            name=op.f("fk_assessment_run_rules_digest"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_run")),
    )
    op.create_index(op.f("ix_assessment_run_created_at"), "assessment_run", ["created_at"], unique=False)
    op.create_table(
        "assessment",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("lower_bound", sa.Boolean(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["assessment_run.id"], name=op.f("fk_assessment_run_id")),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_assessment")),
    )
    op.create_table(
        "hazard_warning",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hazard_warning")),
    )
    op.create_index(op.f("ix_hazard_warning_opened_at"), "hazard_warning", ["opened_at"], unique=False)
    op.create_table(
        "blob",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blob")),
    )
    op.create_table(
        "package",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("retraction", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["retraction"],
            ["package.sha256"],
            name=op.f("fk_package_retraction"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_package")),
    )
    op.create_table(
        "package_artefact",
        sa.Column("package_sha256", sa.String(length=64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["package_sha256"], ["package.sha256"], name=op.f("fk_package_artefact_package_sha256")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_package_artefact_sha256")),
        sa.PrimaryKeyConstraint("package_sha256", "path", name=op.f("pk_package_artefact")),
    )
    op.create_table(
        "proposal",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("warning_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("package_sha256", sa.String(length=64), nullable=False),
        sa.Column("edited_by", sa.Text(), nullable=False),
        sa.Column("edited_at", _TIME, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["package_sha256"], ["package.sha256"], name=op.f("fk_proposal_package_sha256")),
        sa.ForeignKeyConstraint(["warning_id"], ["hazard_warning.id"], name=op.f("fk_proposal_warning_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
        sa.UniqueConstraint("warning_id", "version", name=op.f("uq_proposal_warning_id_version")),
    )
    op.create_index(op.f("ix_proposal_status"), "proposal", ["status"], unique=False)
    op.create_table(
        "signoff",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("package_sha256", sa.String(length=64), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("second_factor", sa.Text(), nullable=False),
        sa.Column("voided_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_signoff_proposal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signoff")),
    )
    op.create_index(op.f("ix_signoff_proposal_id"), "signoff", ["proposal_id"], unique=False)
    op.create_table(
        "bulletin",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("release_order", sa.Integer(), nullable=False),
        sa.Column("warning_id", sa.Text(), nullable=False),
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("released_at", _TIME, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("package_sha256", sa.String(length=64), nullable=False),
        sa.Column("late", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_bulletin_proposal_id")),
        sa.ForeignKeyConstraint(["warning_id"], ["hazard_warning.id"], name=op.f("fk_bulletin_warning_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulletin")),
        sa.UniqueConstraint("proposal_id", "act", name=op.f("uq_bulletin_proposal_id_act")),
        sa.UniqueConstraint("release_order", name=op.f("uq_bulletin_release_order")),
        sa.UniqueConstraint("series", "year", "serial", name=op.f("uq_bulletin_series_year_serial")),
        sa.UniqueConstraint("slug", name=op.f("uq_bulletin_slug")),
    )
    op.create_index(op.f("ix_bulletin_warning_id"), "bulletin", ["warning_id"], unique=False)
    op.create_table(
        "bulletin_artefact",
        sa.Column("bulletin_id", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["bulletin_id"], ["bulletin.id"], name=op.f("fk_bulletin_artefact_bulletin_id")),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_bulletin_artefact_sha256")),
        sa.PrimaryKeyConstraint("bulletin_id", "path", name=op.f("pk_bulletin_artefact")),
    )


def downgrade() -> None:
    """Drop the tables."""
    for name in (
        "bulletin_artefact",
        "bulletin",
        "signoff",
        "proposal",
        "package_artefact",
        "package",
        "blob",
        "hazard_warning",
        "assessment",
        "assessment_run",
        "rule_set",
        "forecast",
    ):
        op.drop_table(name)
