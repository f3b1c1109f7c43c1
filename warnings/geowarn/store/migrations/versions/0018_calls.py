"""Who must answer when a warning goes out, and whether they did."""

from __future__ import annotations

revision = "0018_calls"
down_revision = "0017_issuers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create tables and columns."""


def downgrade() -> None:
    """Remove them again."""
