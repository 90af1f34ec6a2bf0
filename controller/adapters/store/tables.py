"""The journal's tables. What changes here needs a new revision in `migrations/versions`."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept as UTC; SQLite's columns know no time zone, so a naive one read back is UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the journal keeps aware times only, not {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        at: datetime = value
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


metadata = MetaData()

OPEN = text("state in ('intended', 'sent', 'running', 'verifying')")
"""The condition of the index that lets a server have one open intent; the same states as `migration.OPEN_STATES`."""

moves = Table(
    "moves",
    metadata,
    Column("id", String, primary_key=True),
    Column("origin", String, nullable=False),
    Column("server_id", String, nullable=False),
    Column("server_name", String, nullable=False),
    Column("source", String, nullable=False),
    Column("target", String, nullable=False),
    Column("cold", Boolean, nullable=False),
    Column("rule", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("system", String),
    Column("agency", String),
    Column("created_at", UtcTime, nullable=False),
    Column("deadline", UtcTime, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("last_migration_id", BigInteger, nullable=False),
    Column("force_after_s", Float),
    Column("state", String, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("migration_id", BigInteger),
    Column("request_id", String),
    Column("abort_rule", String),
    Column("outcome_why", Text),
    Column("outcome_rule", String),
    Column("ended_at", UtcTime),
    Column("seconds", Float),
    Column("copied_bytes", BigInteger),
    Column("blackout_s", Float),
    CheckConstraint(
        "state in ('intended', 'sent', 'running', 'verifying', "
        "'succeeded', 'failed', 'aborted', 'refused', 'not-sent', 'lost')",
        name="state_is_known",
    ),
    Index("one_open_move_per_server", "server_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
    Index("moves_by_creation", "created_at"),
    Index("moves_by_end", "ended_at"),
)

epochs = Table(
    "epochs",
    metadata,
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("who", String, nullable=False),
    Column("at", UtcTime, nullable=False),
)

plans = Table(
    "plans",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
    Column("body", Text, nullable=False),
    Index("plans_by_creation", "created_at"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("plan_id", String, ForeignKey("plans.id"), primary_key=True),
    Column("who", String, nullable=False),
    Column("at", UtcTime, nullable=False),
)

pauses = Table(
    "pauses",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("scope_kind", String, nullable=False),
    Column("scope_name", String, nullable=False),
    Column("who", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("ended_by", String),
    Index(
        "one_pause_per_scope",
        "scope_kind",
        "scope_name",
        unique=True,
        sqlite_where=text("ended_at is null"),
        postgresql_where=text("ended_at is null"),
    ),
)
"""Everywhere is the scope of kind and name ''."""

resumptions = Table(
    "resumptions",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("scope_kind", String, nullable=False),
    Column("scope_name", String, nullable=False),
    Column("who", String, nullable=False),
    Column("at", UtcTime, nullable=False),
)

drains = Table(
    "drains",
    metadata,
    Column("id", String, primary_key=True),
    Column("host", String, nullable=False),
    Column("who", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("keep_shutoff", Boolean, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("state", String, nullable=False),
    Column("holdouts", Text, nullable=False),
    Index(
        "one_drain_per_host",
        "host",
        unique=True,
        sqlite_where=text("state <> 'ended'"),
        postgresql_where=text("state <> 'ended'"),
    ),
)

refusals = Table(
    "refusals",
    metadata,
    Column("server_id", String, primary_key=True),
    Column("target", String, primary_key=True),
    Column("rule", String, nullable=False),
    Column("until", UtcTime, nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("who", String, nullable=False),
    Column("what", Text, nullable=False),
    Index("notes_by_time", "at"),
)

extents = Table(
    "extents",
    metadata,
    Column("since", UtcTime, primary_key=True),
    Column("expected_hosts", Integer, nullable=False),
    Column("hosts", Integer, nullable=False),
    Column("vms", Integer, nullable=False),
)

OPEN_RUN = text("state = 'open'")
"""The condition of the index that lets a host have one open run."""

host_runs = Table(
    "host_runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("host", String, nullable=False),
    Column("verb", String, nullable=False),
    Column("who", String, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("step", String, nullable=False),
    Column("state", String, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("drained", Boolean, nullable=False),
    Column("boot_id", String, nullable=False),
    Column("said", Text, nullable=False),
    Column("artifacts", Text, nullable=False),
    Index("one_open_run_per_host", "host", unique=True, sqlite_where=OPEN_RUN, postgresql_where=OPEN_RUN),
    Index("host_runs_by_time", "since"),
)

OPEN_CAMPAIGN = text("state in ('running', 'paused', 'aborting')")
"""The condition of the index that lets one campaign go at a time; the same states as `campaign.OPEN`."""

campaigns = Table(
    "campaigns",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("body", Text, nullable=False),
    Column("who", String, nullable=False),
    Column("state", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("resumed_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("open", Boolean, nullable=False),
    Index("one_open_campaign", "open", unique=True, sqlite_where=OPEN_CAMPAIGN, postgresql_where=OPEN_CAMPAIGN),
)
"""`body` is the operator's order as JSON."""

campaign_hosts = Table(
    "campaign_hosts",
    metadata,
    Column("campaign", String, ForeignKey("campaigns.id"), primary_key=True),
    Column("host", String, primary_key=True),
    Column("n", Integer, nullable=False),
    Column("domain", String, nullable=False),
    Column("canary", Boolean, nullable=False),
    Column("state", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("why", Text, nullable=False),
    Column("began_at", UtcTime),
    Column("ended_at", UtcTime),
)

campaign_steps = Table(
    "campaign_steps",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("campaign", String, ForeignKey("campaigns.id"), nullable=False),
    Column("host", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("step", String, nullable=False),
    Column("began_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("succeeded", Boolean),
    Column("said", Text, nullable=False),
    Column("boot_id", String, nullable=False),
    Column("reboot_required", Boolean, nullable=False),
    Index("one_record_per_step", "campaign", "host", "attempt", "step", unique=True),
)
