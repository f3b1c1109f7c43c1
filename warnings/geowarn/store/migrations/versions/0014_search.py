"""Public pages and the terms they are found by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_search"
down_revision = "0013_partners"
branch_labels = None
depends_on = None

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TERM = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Create tables and columns."""
    op.create_table(
        "search_document",
        sa.Column("number", _ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_search_document")),
        sa.UniqueConstraint("key", name=op.f("uq_search_document_key")),
    )
    op.create_index(op.f("ix_search_document_kind"), "search_document", ["kind"], unique=False)
    op.create_table(
        "search_term",
        sa.Column("term", _TERM, nullable=False),
        sa.Column("document", _ROW_NUMBER, nullable=False),
        sa.Column("in_title", sa.Integer(), nullable=False),
        sa.Column("in_text", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["document"], ["search_document.number"], name=op.f("fk_search_term_document")),
        sa.PrimaryKeyConstraint("term", "document", name=op.f("pk_search_term")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_search_term_document"), "search_term", ["document"], unique=False)


def downgrade() -> None:
    """Remove them again."""
    for table in ("search_term", "search_document"):
        op.drop_table(table)
