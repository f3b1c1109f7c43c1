"""Chains of escalation."""

from __future__ import annotations

revision = "0010_clock"
down_revision = "0009_roster"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create tables and columns."""


def downgrade() -> None:
    """Remove them again."""
