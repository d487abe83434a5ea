"""How an order may be paid: what the merchant chose, kept with the order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

compatible_since = "0009"
"""Code from before makes orders without options. For an order that has some it signs an address
without them while both versions run: the same order, open to every means of payment."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.add_column("orders", sa.Column("pay_options", db.Json, nullable=True))
