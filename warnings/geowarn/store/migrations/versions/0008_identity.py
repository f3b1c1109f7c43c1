"""Second factors, recovery codes, invitations, rights by area."""

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


def downgrade() -> None:
    """Remove them again."""
    op.drop_table("recovery_code")
    op.drop_table("second_factor")
