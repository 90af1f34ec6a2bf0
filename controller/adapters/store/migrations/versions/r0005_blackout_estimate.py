"""Plans call a move's blackout what it is, an estimate."""

from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Renames the field in the plans that are kept; in JSON a quoted word before a colon is a key and nothing else."""
    op.execute("""UPDATE plans SET body = replace(body, '"blackout":', '"blackout_estimate":')""")
