"""Exercises and what permits them."""

from __future__ import annotations

revision = "0012_exercise"
down_revision = "0011_review"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create tables and columns."""


def downgrade() -> None:
    """Remove them again."""
