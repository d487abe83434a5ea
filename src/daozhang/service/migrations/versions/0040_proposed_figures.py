"""A proposal of how a case ends keeps the figures over which it was made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

compatible_since = "0030"
"""Code from before leaves the columns alone; what it proposes has to be proposed again."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    for side in ("ours", "theirs"):
        op.add_column("cases", sa.Column(f"proposed_{side}_minor", sa.BigInteger(), nullable=True))
        op.execute(
            f"UPDATE cases SET proposed_{side}_minor = (SELECT {side}_minor FROM mismatches"  # noqa: S608
            " WHERE mismatches.id = cases.mismatch_id) WHERE proposed_end IS NOT NULL"
        )
