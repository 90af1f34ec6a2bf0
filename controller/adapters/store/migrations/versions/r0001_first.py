"""The first tables: moves, epochs, plans, approvals, pauses, resumptions, drains, refusals, notes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Makes every table, those that others refer to first."""
    _moves()
    _plans()
    _pauses()
    _drains()
    _memory()


def _moves() -> None:
    op.create_table(
        "moves",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("server_id", sa.String(), nullable=False),
        sa.Column("server_name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("cold", sa.Boolean(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("system", sa.String(), nullable=True),
        sa.Column("agency", sa.String(), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("deadline", _TIME, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("last_migration_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.Column("migration_id", sa.BigInteger(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("outcome_why", sa.Text(), nullable=True),
        sa.Column("outcome_rule", sa.String(), nullable=True),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("copied_bytes", sa.BigInteger(), nullable=True),
        sa.Column("blackout_s", sa.Float(), nullable=True),
        sa.CheckConstraint(
            "state in ('intended', 'sent', 'running', 'verifying', "
            "'succeeded', 'failed', 'aborted', 'refused', 'not-sent', 'lost')",
            name="state_is_known",
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("moves_by_creation", "moves", ["created_at"], unique=False)
    op.create_index("moves_by_end", "moves", ["ended_at"], unique=False)
    op.create_index(
        "one_open_move_per_server",
        "moves",
        ["server_id"],
        unique=True,
        sqlite_where=sa.text("state in ('intended', 'sent', 'running', 'verifying')"),
        postgresql_where=sa.text("state in ('intended', 'sent', 'running', 'verifying')"),
    )


def _plans() -> None:
    op.create_table(
        "plans",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("plans_by_creation", "plans", ["created_at"], unique=False)
    op.create_table(
        "approvals",
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"],
            ["plans.id"],
        ),
        sa.PrimaryKeyConstraint("plan_id"),
    )


def _pauses() -> None:
    op.create_table(
        "pauses",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("scope_kind", sa.String(), nullable=False),
        sa.Column("scope_name", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("n"),
    )
    op.create_index(
        "one_pause_per_scope",
        "pauses",
        ["scope_kind", "scope_name"],
        unique=True,
        sqlite_where=sa.text("ended_at is null"),
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "resumptions",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("scope_kind", sa.String(), nullable=False),
        sa.Column("scope_name", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("n"),
    )


def _drains() -> None:
    op.create_table(
        "drains",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("keep_shutoff", sa.Boolean(), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("holdouts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_drain_per_host",
        "drains",
        ["host"],
        unique=True,
        sqlite_where=sa.text("state <> 'ended'"),
        postgresql_where=sa.text("state <> 'ended'"),
    )


def _memory() -> None:
    op.create_table(
        "epochs",
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("epoch"),
    )
    op.create_table(
        "refusals",
        sa.Column("server_id", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("server_id", "target"),
    )
    op.create_table(
        "notes",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n"),
    )
    op.create_index("notes_by_time", "notes", ["at"], unique=False)
