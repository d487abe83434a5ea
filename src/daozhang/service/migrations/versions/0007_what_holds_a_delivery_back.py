"""What holds a delivery back is found by its order, whatever the planner knows of the table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Takes the tables one revision forward."""
    pending = sa.text("status = 'pending'")
    op.drop_index("ix_webhook_deliveries_order", table_name="webhook_deliveries")
    op.create_index(
        "ix_webhook_deliveries_pending_order",
        "webhook_deliveries",
        ["order_id", "sequence"],
        postgresql_where=pending,
        sqlite_where=pending,
    )
