"""Second factors, recovery codes, invitations, rights by area."""

from __future__ import annotations

revision = "0008_identity"
down_revision = "0007_duty"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create tables and columns."""


def downgrade() -> None:
    """Remove them again."""
