"""Feeds of other issuers' warnings, and what was last read of them."""

from __future__ import annotations

revision = "0017_issuers"
down_revision = "0016_mail"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create tables and columns."""


def downgrade() -> None:
    """Remove them again."""
