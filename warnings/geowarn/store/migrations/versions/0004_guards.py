"""Triggers that refuse to change what has been released and what the ledger says."""

from __future__ import annotations

from alembic import op

from geowarn.store.guards import creating, dropping

revision = "0004_guards"
down_revision = "0003_dispatch_and_proof"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the triggers."""
    for statement in creating(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    """Drop the triggers."""
    for statement in dropping(op.get_bind().dialect.name):
        op.execute(statement)
