"""Who must answer when a warning goes out, and whether they did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018_calls"
down_revision = "0017_issuers"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_OPEN = sa.text("answered_at IS NULL AND ended_at IS NULL")


def upgrade() -> None:
    """Create tables and columns."""
    op.create_table(
        "call_contact",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("county", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("whereabouts", sa.Text(), nullable=False),
        sa.Column("phone_key", sa.Text(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_masked", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["area"], ["area.code"], name=op.f("fk_call_contact_area")),
        sa.PrimaryKeyConstraint("place", "number", name=op.f("pk_call_contact")),
    )
    op.create_table(
        "call",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("bulletin_id", sa.Text(), nullable=False),
        sa.Column("warning_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("county", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("whereabouts", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("called_at", _TIME, nullable=False),
        sa.Column("next_seconds", sa.Float(53), nullable=False),
        sa.Column("turn_at", _TIME, nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("answered_at", _TIME, nullable=True),
        sa.Column("answered_via", sa.Text(), nullable=True),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("said_by", sa.LargeBinary(), nullable=True),
        sa.Column("turned_at", _TIME, nullable=True),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["bulletin_id"], ["bulletin.id"], name=op.f("fk_call_bulletin_id")),
        sa.ForeignKeyConstraint(["warning_id"], ["hazard_warning.id"], name=op.f("fk_call_warning_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
        sa.UniqueConstraint("bulletin_id", "place", name=op.f("uq_call_bulletin_id_place")),
    )
    op.create_index(op.f("ix_call_warning_id"), "call", ["warning_id"], unique=False)
    op.create_index("ix_call_open", "call", ["warning_id"], unique=False, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_table(
        "call_ask",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("phone_key", sa.Text(), nullable=False),
        sa.Column("phone_masked", sa.Text(), nullable=False),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("failed_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_call_ask_call_id")),
        sa.PrimaryKeyConstraint("call_id", "number", name=op.f("pk_call_ask")),
    )
    op.create_index(op.f("ix_call_ask_phone_key"), "call_ask", ["phone_key"], unique=False)


def downgrade() -> None:
    """Remove them again."""
    for table in ("call_ask", "call", "call_contact"):
        op.drop_table(table)
