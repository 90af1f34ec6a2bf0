"""Plans name what their moves are for, and the levels of their scores: both are policy's to order now."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None

_PLANS = sa.table("plans", sa.column("body", sa.Text))

LEVELS = ("broken", "hot", "uneven", "consolidation")
"""Until now, in this order, by number; drains counted as broken."""


def upgrade() -> None:
    """Rewrites the plans that are kept; in JSON a quoted word before a colon is a key and nothing else."""
    _replace('"concern":0,"rule":"drain"', '"concern":"drain","rule":"drain"')
    for number, name in enumerate(LEVELS):
        _replace(f'"concern":{number},', f'"concern":"{name}",')
    named = ",".join(f'"{name}"' for name in LEVELS)
    _replace('"breaches_before":', f'"objective":[{named}],"breaches_before":')


def _replace(old: str, new: str) -> None:
    op.execute(sa.update(_PLANS).values(body=sa.func.replace(_PLANS.c.body, old, new)))
