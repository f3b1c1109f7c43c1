"""Comments, consultations, secrecy checks, codes to sign with."""

from __future__ import annotations

revision = "0011_review"
down_revision = "0010_clock"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create tables and columns."""


def downgrade() -> None:
    """Remove them again."""
