"""After how many working days money is paid out that is not paid out at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

compatible_since = "0030"
"""Code from before makes books without the column, which get T+1."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.add_column(
        "ledger_books",
        sa.Column("payout_days", sa.Integer(), server_default=sa.text("1"), nullable=False),
    )
