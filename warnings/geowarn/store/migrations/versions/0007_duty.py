"""How people on duty are reached, the leader of a shift, for whom a task waits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_duty"
down_revision = "0006_incidents"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create tables and columns."""
    op.add_column("account", sa.Column("phone_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("account", sa.Column("phone_masked", sa.Text(), nullable=False, server_default=""))
    op.add_column("shift", sa.Column("leader", sa.Text(), nullable=True))
    op.add_column("task", sa.Column("owner", sa.Text(), nullable=True))
    op.add_column("task", sa.Column("acknowledged_at", _TIME, nullable=True))
    op.add_column("task", sa.Column("acknowledged_by", sa.Text(), nullable=True))


def downgrade() -> None:
    """Remove them again."""
    for table, column in (
        ("task", "acknowledged_by"),
        ("task", "acknowledged_at"),
        ("task", "owner"),
        ("shift", "leader"),
        ("account", "phone_masked"),
        ("account", "phone_sealed"),
    ):
        op.drop_column(table, column)
