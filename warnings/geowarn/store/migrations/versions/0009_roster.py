"""Confirmations of shifts, swaps, hand-overs."""

from __future__ import annotations

revision = "0009_roster"
down_revision = "0008_identity"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create tables and columns."""


def downgrade() -> None:
    """Remove them again."""
