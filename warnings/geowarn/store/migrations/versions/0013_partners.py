"""Keys, requests and outgoing hooks of partners."""

from __future__ import annotations

revision = "0013_partners"
down_revision = "0012_exercise"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create tables and columns."""


def downgrade() -> None:
    """Remove them again."""
