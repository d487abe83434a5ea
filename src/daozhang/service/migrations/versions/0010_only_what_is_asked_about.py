"""Only what is asked about: the index of due questions holds no order that nobody asks about.

Nearly all orders are paid and done with. In the old index each had its entry, written when it was
paid and never looked for.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

compatible_since = "0009"
"""An index more or less is nothing to the code."""

BESIDE = (
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_orders_asked_about ON orders (next_query_at)"
    " WHERE next_query_at IS NOT NULL",
)


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_index(
        "ix_orders_asked_about",
        "orders",
        ["next_query_at"],
        unique=False,
        postgresql_where=sa.text("next_query_at IS NOT NULL"),
        sqlite_where=sa.text("next_query_at IS NOT NULL"),
        if_not_exists=True,
    )
    op.drop_index("ix_orders_next_query_at", table_name="orders")
