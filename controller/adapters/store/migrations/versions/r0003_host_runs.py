"""What operators did to hosts by playbooks, step by step."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    """Makes one table; what the journal holds stays as it is."""
    op.create_table(
        "host_runs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drained", sa.Boolean(), nullable=False),
        sa.Column("boot_id", sa.String(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("artifacts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_open_run_per_host", "host_runs", ["host"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_index("host_runs_by_time", "host_runs", ["since"])
