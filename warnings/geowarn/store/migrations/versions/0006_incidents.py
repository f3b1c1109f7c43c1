"""Incidents: drafts under review, signatures, and publications that never change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geowarn.store.guards import creating, dropping

revision = "0006_incidents"
down_revision = "0005_sources_and_rules"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_GUARDED = ("incident_publication",)


def upgrade() -> None:
    """Create tables and triggers."""
    op.create_table(
        "incident",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint("year", "serial", name=op.f("uq_incident_year_serial")),
    )
    op.create_table(
        "incident_draft",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("edited_by", sa.Text(), nullable=False),
        sa.Column("edited_at", _TIME, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("checked_by", sa.Text(), nullable=True),
        sa.Column("checked_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_draft_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_draft")),
    )
    op.create_index(op.f("ix_incident_draft_incident_id"), "incident_draft", ["incident_id"], unique=False)
    op.create_table(
        "incident_signoff",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("draft_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("second_factor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["incident_draft.id"], name=op.f("fk_incident_signoff_draft_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_signoff")),
    )
    op.create_index(op.f("ix_incident_signoff_draft_id"), "incident_signoff", ["draft_id"], unique=False)
    op.create_table(
        "incident_publication",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("published_at", _TIME, nullable=False),
        sa.Column("checked_by", sa.Text(), nullable=False),
        sa.Column("signed_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_publication_incident_id")),
        sa.PrimaryKeyConstraint("incident_id", "version", name=op.f("pk_incident_publication")),
    )
    for statement in creating(op.get_bind().dialect.name, _GUARDED):
        op.execute(statement)


def downgrade() -> None:
    """Remove them again."""
    for statement in dropping(op.get_bind().dialect.name, _GUARDED):
        op.execute(statement)
    for table in ("incident_publication", "incident_signoff", "incident_draft", "incident"):
        op.drop_table(table)
