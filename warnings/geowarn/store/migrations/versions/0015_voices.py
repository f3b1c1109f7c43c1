"""What people say, the answers to it, and rumours put right."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geowarn.store.guards import creating, dropping

revision = "0015_voices"
down_revision = "0014_search"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_GUARDED = ("answer_publication",)


def upgrade() -> None:
    """Create tables and triggers."""
    op.create_table(
        "answer",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
        sa.UniqueConstraint("year", "serial", name=op.f("uq_answer_year_serial")),
    )
    op.create_table(
        "answer_draft",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("edited_by", sa.Text(), nullable=False),
        sa.Column("edited_at", _TIME, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("checked_by", sa.Text(), nullable=True),
        sa.Column("checked_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["answer.id"], name=op.f("fk_answer_draft_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_draft")),
    )
    op.create_index(op.f("ix_answer_draft_incident_id"), "answer_draft", ["incident_id"], unique=False)
    op.create_table(
        "answer_signoff",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("draft_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("second_factor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["answer_draft.id"], name=op.f("fk_answer_signoff_draft_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_signoff")),
    )
    op.create_index(op.f("ix_answer_signoff_draft_id"), "answer_signoff", ["draft_id"], unique=False)
    op.create_table(
        "answer_publication",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("published_at", _TIME, nullable=False),
        sa.Column("checked_by", sa.Text(), nullable=False),
        sa.Column("signed_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["answer.id"], name=op.f("fk_answer_publication_incident_id")),
        sa.PrimaryKeyConstraint("incident_id", "version", name=op.f("pk_answer_publication")),
    )
    op.create_table(
        "voice",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sign", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("fold_key", sa.Text(), nullable=False),
        sa.Column("from_key", sa.Text(), nullable=False),
        sa.Column("said_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("contact_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("contact_masked", sa.Text(), nullable=False),
        sa.Column("photo", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("changed_at", _TIME, nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("folded_into", sa.Text(), nullable=True),
        sa.Column("warning_id", sa.Text(), nullable=True),
        sa.Column("incident_id", sa.Text(), nullable=True),
        sa.Column("answer_id", sa.Text(), nullable=True),
        sa.Column("erased_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["folded_into"], ["voice.id"], name=op.f("fk_voice_folded_into")),
        sa.ForeignKeyConstraint(["warning_id"], ["hazard_warning.id"], name=op.f("fk_voice_warning_id")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_voice_incident_id")),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name=op.f("fk_voice_answer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voice")),
        sa.UniqueConstraint("number", name=op.f("uq_voice_number")),
    )
    op.create_index(op.f("ix_voice_received_at"), "voice", ["received_at"], unique=False)
    op.create_index(op.f("ix_voice_fold_key"), "voice", ["fold_key"], unique=False)
    op.create_index(op.f("ix_voice_from_key"), "voice", ["from_key"], unique=False)
    op.create_index(op.f("ix_voice_state"), "voice", ["state"], unique=False)
    op.create_index(op.f("ix_voice_folded_into"), "voice", ["folded_into"], unique=False)
    op.create_index(op.f("ix_voice_answer_id"), "voice", ["answer_id"], unique=False)
    op.create_table(
        "voice_photo",
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["voice_id"], ["voice.id"], name=op.f("fk_voice_photo_voice_id")),
        sa.PrimaryKeyConstraint("voice_id", name=op.f("pk_voice_photo")),
    )
    op.create_table(
        "voice_act",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["voice_id"], ["voice.id"], name=op.f("fk_voice_act_voice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voice_act")),
    )
    op.create_index(op.f("ix_voice_act_voice_id"), "voice_act", ["voice_id"], unique=False)
    for statement in creating(op.get_bind().dialect.name, _GUARDED):
        op.execute(statement)


def downgrade() -> None:
    """Remove them again."""
    for statement in dropping(op.get_bind().dialect.name, _GUARDED):
        op.execute(statement)
    for table in (
        "voice_act",
        "voice_photo",
        "voice",
        "answer_publication",
        "answer_signoff",
        "answer_draft",
        "answer",
    ):
        op.drop_table(table)
