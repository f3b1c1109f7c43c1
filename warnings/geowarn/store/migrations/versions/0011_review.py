"""Comments, consultations, secrecy checks, codes to sign with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geowarn.store.guards import creating, dropping

revision = "0011_review"
down_revision = "0010_clock"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_GUARDED = ("review_comment", "consultation", "secrecy_check")


def upgrade() -> None:
    """Create tables and triggers."""
    op.create_table(
        "review_comment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("warning_id", sa.Text(), nullable=False),
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["warning_id"], ["hazard_warning.id"], name=op.f("fk_review_comment_warning_id")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_review_comment_proposal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_comment")),
    )
    op.create_index(op.f("ix_review_comment_warning_id"), "review_comment", ["warning_id"], unique=False)
    op.create_table(
        "consultation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("package_sha256", sa.String(length=64), nullable=False),
        sa.Column("spoke_with", sa.Text(), nullable=False),
        sa.Column("spoken_at", _TIME, nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_consultation_proposal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultation")),
    )
    op.create_index(op.f("ix_consultation_proposal_id"), "consultation", ["proposal_id"], unique=False)
    op.create_table(
        "secrecy_check",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("package_sha256", sa.String(length=64), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_secrecy_check_proposal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secrecy_check")),
    )
    op.create_index(op.f("ix_secrecy_check_proposal_id"), "secrecy_check", ["proposal_id"], unique=False)
    op.create_table(
        "sign_code",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code_key", sa.String(length=64), nullable=False),
        sa.Column("warning_id", sa.Text(), nullable=False),
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("package_sha256", sa.String(length=64), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["warning_id"], ["hazard_warning.id"], name=op.f("fk_sign_code_warning_id")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_sign_code_proposal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_code")),
    )
    op.create_index(op.f("ix_sign_code_warning_id"), "sign_code", ["warning_id"], unique=False)
    for statement in creating(op.get_bind().dialect.name, _GUARDED):
        op.execute(statement)


def downgrade() -> None:
    """Remove them again."""
    for statement in dropping(op.get_bind().dialect.name, _GUARDED):
        op.execute(statement)
    for table in ("sign_code", "secrecy_check", "consultation", "review_comment"):
        op.drop_table(table)
