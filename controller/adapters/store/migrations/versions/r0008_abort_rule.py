"""Why a move is to be aborted is kept, so that a later process knows whose abort it was."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("moves", sa.Column("abort_rule", sa.String))
