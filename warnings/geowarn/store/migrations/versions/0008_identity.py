"""Second factors, invitations, rights by area, changes that wait for a second person, other issuers' warnings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_identity"
down_revision = "0007_duty"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create tables and columns."""
    op.create_table(
        "second_factor",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("confirmed_at", _TIME, nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.LargeBinary(), nullable=True),
        sa.Column("enrolled_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["account"], ["account.name"], name=op.f("fk_second_factor_account")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["account"], ["account.name"], name=op.f("fk_recovery_code_account")),
        sa.PrimaryKeyConstraint("account", "key", name=op.f("pk_recovery_code")),
    )
    op.add_column("account", sa.Column("areas", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("console_session", sa.Column("origin", sa.Text(), nullable=False, server_default=""))
    op.add_column("console_session", sa.Column("browser", sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "console_session", sa.Column("waits_for_code", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_index(op.f("ix_console_session_account"), "console_session", ["account"], unique=False)
    _people()
    _outside()


def _people() -> None:
    op.create_table(
        "invitation",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["account"], ["account.name"], name=op.f("fk_invitation_account")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_invitation")),
    )
    op.create_index(op.f("ix_invitation_account"), "invitation", ["account"], unique=False)
    op.create_table(
        "pending_change",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", _TIME, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_change")),
    )
    op.create_index(op.f("ix_pending_change_outcome"), "pending_change", ["outcome"], unique=False)


def _outside() -> None:
    op.create_table(
        "outside_warning",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("places", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("ends_at", _TIME, nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", _TIME, nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_warning")),
    )
    op.create_index(op.f("ix_outside_warning_ends_at"), "outside_warning", ["ends_at"], unique=False)


def downgrade() -> None:
    """Remove them again."""
    for table in ("outside_warning", "pending_change", "invitation"):
        op.drop_table(table)
    op.drop_index(op.f("ix_console_session_account"), table_name="console_session")
    for table, column in (
        ("console_session", "waits_for_code"),
        ("console_session", "browser"),
        ("console_session", "origin"),
        ("account", "areas"),
    ):
        op.drop_column(table, column)
    op.drop_table("recovery_code")
    op.drop_table("second_factor")
