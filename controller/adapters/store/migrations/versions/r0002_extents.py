"""How much the cloud and the inventory held in the last good hour."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Makes one table; what the journal holds stays as it is."""
    op.create_table(
        "extents",
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expected_hosts", sa.Integer(), nullable=False),
        sa.Column("hosts", sa.Integer(), nullable=False),
        sa.Column("vms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("since"),
    )
