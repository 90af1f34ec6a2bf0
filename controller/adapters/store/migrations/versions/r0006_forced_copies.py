"""Moves whose copy is planned to be forced to its end, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Adds one column; moves that are there already are forced by no plan."""
    op.add_column("moves", sa.Column("force_after_s", sa.Float()))
