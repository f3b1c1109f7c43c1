"""The tables, dialect-neutral; `migrations/` builds the same and a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from geowarn.store.types import JsonText, UtcTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only for a column that is exactly INTEGER.
_ROW_NUMBER = BigInteger().with_variant(Integer, "sqlite")
_DIGEST = String(64)


def _later(target: str) -> ForeignKey:
    """A reference checked at commit, so that rows of one transaction may come in any order."""
    return ForeignKey(target, deferrable=True, initially="DEFERRED")


# --- places and people ---------------------------------------------------------------------------------------------

area = Table(
    "area",
    metadata,
    Column("code", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("parent", Text, _later("area.code")),
    Column("lon", Float(53)),
    Column("lat", Float(53)),
    Column("population", BigInteger),
    Column("susceptibility", Text, nullable=False),
    Column("surveyed", Boolean, nullable=False),
    Column("geometry", JsonText),
    Column("official", Boolean, nullable=False),
)

recipient = Table(
    "recipient",
    metadata,
    Column("id", Text, primary_key=True),
    Column("phone_key", Text, nullable=False),
    Column("phone_sealed", LargeBinary, nullable=False),
    Column("phone_masked", Text, nullable=False),
    Column("area", Text, ForeignKey("area.code"), nullable=False),
    Column("language", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("consent", Text, nullable=False),
    Column("added_at", UtcTime, nullable=False),
    Column("opted_out_at", UtcTime),
    UniqueConstraint("phone_key", "area"),
    Index("ix_recipient_area_language_role", "area", "language", "role"),
)

account = Table(
    "account",
    metadata,
    Column("name", Text, primary_key=True),
    Column("display_zh", Text, nullable=False),
    Column("display_en", Text, nullable=False),
    Column("roles", JsonText, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("active", Boolean, nullable=False),
)

console_session = Table(
    "console_session",
    metadata,
    Column("token_sha256", _DIGEST, primary_key=True),
    Column("account", Text, nullable=False),
    Column("form_token", Text, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
)

login_failure = Table(
    "login_failure",
    metadata,
    Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("account", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("ix_login_failure_account_at", "account", "at"),
)

shift = Table(
    "shift",
    metadata,
    Column("id", Text, primary_key=True),
    Column("officer", Text, nullable=False),
    Column("deputy", Text),
    Column("starts_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Index("ix_shift_starts_at", "starts_at"),
)

# --- from forecast to level ----------------------------------------------------------------------------------------

forecast = Table(
    "forecast",
    metadata,
    Column("id", Text, primary_key=True),
    Column("reader", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("payload_digest", _DIGEST, nullable=False, index=True),
    Column("received_at", UtcTime, nullable=False, index=True),
    Column("run_time", UtcTime, nullable=False),
    Column("covers_from", UtcTime, nullable=False),
    Column("covers_to", UtcTime, nullable=False, index=True),
    Column("fields", Integer, nullable=False),
    Column("has_forecast", Boolean, nullable=False),
    Column("has_observed", Boolean, nullable=False),
    Column("synthetic", Boolean, nullable=False),
)

rule_set = Table(
    "rule_set",
    metadata,
    Column("digest", _DIGEST, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("calibrated", Boolean, nullable=False),
    Column("parameters", JsonText, nullable=False),
    Column("sources", JsonText, nullable=False),
    Column("text", Text, nullable=False),
)

assessment_run = Table(
    "assessment_run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("forecast_id", Text, ForeignKey("forecast.id"), nullable=False),
    Column("inputs", JsonText, nullable=False),
    Column("model", Text, nullable=False),
    Column("rules", Text, nullable=False),
    Column("rules_digest", _DIGEST, _later("rule_set.digest"), nullable=False),
    Column("areas_digest", _DIGEST, nullable=False),
    Column("window_start", UtcTime, nullable=False),
    Column("window_end", UtcTime, nullable=False),
    Column("run_time", UtcTime, nullable=False),
    Column("age_hours", Float(53), nullable=False),
    Column("created_at", UtcTime, nullable=False, index=True),
    Column("synthetic", Boolean, nullable=False),
    Column("calibrated", Boolean, nullable=False),
    Column("stale_reason", Text),
)

assessment = Table(
    "assessment",
    metadata,
    Column("run_id", Text, ForeignKey("assessment_run.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("area", Text, nullable=False),
    Column("level", Integer),  # null: cannot classify, which is not "none"
    Column("lower_bound", Boolean, nullable=False),
    Column("evidence", JsonText, nullable=False),
)

# --- review and release --------------------------------------------------------------------------------------------

hazard_warning = Table(
    "hazard_warning",
    metadata,
    Column("id", Text, primary_key=True),
    Column("series", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("opened_at", UtcTime, nullable=False, index=True),
    Column("ended_at", UtcTime),
)

blob = Table(
    "blob",
    metadata,
    Column("sha256", _DIGEST, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

package = Table(
    "package",
    metadata,
    Column("sha256", _DIGEST, primary_key=True),
    Column("content", JsonText, nullable=False),
    Column("retraction", _DIGEST, _later("package.sha256")),
)

package_artefact = Table(
    "package_artefact",
    metadata,
    Column("package_sha256", _DIGEST, ForeignKey("package.sha256"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sha256", _DIGEST, ForeignKey("blob.sha256"), nullable=False),
)

proposal = Table(
    "proposal",
    metadata,
    Column("id", Text, primary_key=True),
    Column("warning_id", Text, ForeignKey("hazard_warning.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("content", JsonText, nullable=False),
    Column("package_sha256", _DIGEST, ForeignKey("package.sha256"), nullable=False),
    Column("edited_by", Text, nullable=False),
    Column("edited_at", UtcTime, nullable=False),
    Column("status", Text, nullable=False, index=True),
    Column("status_reason", Text, nullable=False),
    UniqueConstraint("warning_id", "version"),
)

signoff = Table(
    "signoff",
    metadata,
    Column("id", Text, primary_key=True),
    Column("proposal_id", Text, ForeignKey("proposal.id"), nullable=False, index=True),
    Column("package_sha256", _DIGEST, nullable=False),
    Column("account", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("via", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("second_factor", Text, nullable=False),
    Column("voided_at", UtcTime),
)

bulletin = Table(
    "bulletin",
    metadata,
    Column("id", Text, primary_key=True),
    Column("release_order", Integer, nullable=False, unique=True),
    Column("warning_id", Text, ForeignKey("hazard_warning.id"), nullable=False, index=True),
    Column("proposal_id", Text, ForeignKey("proposal.id"), nullable=False),
    Column("act", Text, nullable=False),
    Column("series", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("serial", Integer, nullable=False),
    Column("number", Text, nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    Column("released_at", UtcTime, nullable=False),
    Column("content", JsonText, nullable=False),
    Column("package_sha256", _DIGEST, nullable=False),
    Column("late", JsonText, nullable=False),
    UniqueConstraint("series", "year", "serial"),
    UniqueConstraint("proposal_id", "act"),  # a version is released once; its prepared retraction is the other act
)

bulletin_artefact = Table(
    "bulletin_artefact",
    metadata,
    Column("bulletin_id", Text, ForeignKey("bulletin.id"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("sha256", _DIGEST, ForeignKey("blob.sha256"), nullable=False),
)

# --- dispatch ------------------------------------------------------------------------------------------------------

shard = Table(
    "shard",
    metadata,
    Column("id", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("bulletin_id", Text, ForeignKey("bulletin.id"), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("release_at", UtcTime, nullable=False),
)

_OPEN = text("state IN ('new', 'sending', 'in-doubt')")

dispatch = Table(
    "dispatch",
    metadata,
    Column("id", Text, primary_key=True),
    Column("bulletin_id", Text, ForeignKey("bulletin.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("target_key", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("tier", Integer, nullable=False),
    Column("shard", Text, ForeignKey("shard.id"), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("release_at", UtcTime, nullable=False),
    Column("not_after", UtcTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", UtcTime),
    Column("owner", Text),
    Column("lease_until", UtcTime),
    Column("provider_id", Text),
    Column("reason", Text),
    Column("started_at", UtcTime),
    Column("accepted_at", UtcTime),
    Column("delivered_at", UtcTime),
    UniqueConstraint("bulletin_id", "channel", "target_key"),
    CheckConstraint(
        "state IN ('new', 'sending', 'accepted', 'delivered', 'failed', 'in-doubt', 'expired-unsent')", name="state"
    ),
    Index("ix_dispatch_counts", "bulletin_id", "channel", "state"),
    Index("ix_dispatch_provider_id", "channel", "provider_id"),
    # Settled rows leave these two, so a sweep costs what is still open and not what was ever sent.
    Index("ix_dispatch_open", "shard", "state", "tier", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_dispatch_state", "state", "not_after", sqlite_where=_OPEN, postgresql_where=_OPEN),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("dispatch_id", Text, ForeignKey("dispatch.id"), nullable=False, index=True),
    Column("began", UtcTime, nullable=False),
    Column("ended", UtcTime, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("provider_id", Text),
)

# --- proof and operation -------------------------------------------------------------------------------------------

ledger = Table(
    "ledger",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("payload", Text, nullable=False),
    Column("payload_digest", _DIGEST, nullable=False),
    Column("previous", _DIGEST, nullable=False, unique=True),  # one successor each: no fork
    Column("digest", _DIGEST, nullable=False, unique=True),
)

counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

_TASK_OPEN = text("closed_at IS NULL")

task = Table(
    "task",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("due_at", UtcTime),
    Column("closed_at", UtcTime),
    Column("facts", JsonText, nullable=False),
    Index("uq_task_open", "kind", "subject", unique=True, sqlite_where=_TASK_OPEN, postgresql_where=_TASK_OPEN),
)

fired = Table(
    "fired",
    metadata,
    Column("job", Text, primary_key=True),
    Column("slot", UtcTime, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("at", UtcTime, nullable=False),
)

station_poll = Table(
    "station_poll",
    metadata,
    Column("station", Text, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("sequence", BigInteger, nullable=False),
)

airing = Table(
    "airing",
    metadata,
    Column("station", Text, primary_key=True),
    Column("slug", Text, primary_key=True),
    Column("medium", Text, primary_key=True),
    Column("at", UtcTime, primary_key=True),
    Index("ix_airing_slug", "slug"),
)
