"""Dispatches, the ledger, tasks and ticks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_dispatch_and_proof"
down_revision = "0002_levels_and_review"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TASK_OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "shard",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("bulletin_id", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("release_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["bulletin_id"], ["bulletin.id"], name=op.f("fk_shard_bulletin_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shard")),
    )
    op.create_table(
        "dispatch",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("bulletin_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("target_key", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("shard", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("release_at", _TIME, nullable=False),
        sa.Column("not_after", _TIME, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", _TIME, nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", _TIME, nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("started_at", _TIME, nullable=True),
        sa.Column("accepted_at", _TIME, nullable=True),
        sa.Column("delivered_at", _TIME, nullable=True),
        sa.CheckConstraint(
            "state IN ('new', 'sending', 'accepted', 'delivered', 'failed', 'in-doubt', 'expired-unsent')",
            name=op.f("ck_dispatch_state"),
        ),
        sa.ForeignKeyConstraint(["bulletin_id"], ["bulletin.id"], name=op.f("fk_dispatch_bulletin_id")),
        sa.ForeignKeyConstraint(["shard"], ["shard.id"], name=op.f("fk_dispatch_shard")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch")),
        sa.UniqueConstraint(
            "bulletin_id", "channel", "target_key", name=op.f("uq_dispatch_bulletin_id_channel_target_key")
        ),
    )
    op.create_index("ix_dispatch_counts", "dispatch", ["bulletin_id", "channel", "state"], unique=False)
    op.create_index("ix_dispatch_open", "dispatch", ["shard", "state", "not_after"], unique=False)
    op.create_index("ix_dispatch_provider_id", "dispatch", ["channel", "provider_id"], unique=False)
    op.create_index("ix_dispatch_state", "dispatch", ["state", "not_after"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("id", _ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("dispatch_id", sa.Text(), nullable=False),
        sa.Column("began", _TIME, nullable=False),
        sa.Column("ended", _TIME, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["dispatch_id"], ["dispatch.id"], name=op.f("fk_attempt_dispatch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    op.create_index(op.f("ix_attempt_dispatch_id"), "attempt", ["dispatch_id"], unique=False)
    op.create_table(
        "ledger",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("payload_digest", sa.String(length=64), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_ledger")),
        sa.UniqueConstraint("digest", name=op.f("uq_ledger_digest")),
        sa.UniqueConstraint("previous", name=op.f("uq_ledger_previous")),
    )
    op.create_index(op.f("ix_ledger_subject"), "ledger", ["subject"], unique=False)
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=True),
        sa.Column("closed_at", _TIME, nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index(
        "uq_task_open", "task", ["kind", "subject"], unique=True, sqlite_where=_TASK_OPEN, postgresql_where=_TASK_OPEN
    )
    op.create_table(
        "fired",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("slot", _TIME, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("job", "slot", name=op.f("pk_fired")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("kind", "owner", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "station_poll",
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("station", name=op.f("pk_station_poll")),
    )
    op.create_table(
        "airing",
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("medium", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("station", "slug", "medium", "at", name=op.f("pk_airing")),
    )
    op.create_index("ix_airing_slug", "airing", ["slug"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    for name in (
        "airing",
        "station_poll",
        "heartbeat",
        "fired",
        "task",
        "counter",
        "ledger",
        "attempt",
        "dispatch",
        "shard",
    ):
        op.drop_table(name)
