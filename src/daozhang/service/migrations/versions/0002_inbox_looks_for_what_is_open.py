"""The inbox's indices hold only what is still to be applied: nearly every row never enters them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.drop_index("ix_inbox_notifications_status", table_name="inbox_notifications")
    op.drop_index("ix_inbox_notifications_due_at", table_name="inbox_notifications")
    for name, column, condition in (
        ("ix_inbox_notifications_due", "due_at", sa.text("due_at IS NOT NULL")),
        ("ix_inbox_notifications_waiting", "merchant_id", sa.text("status = 'waiting'")),
    ):
        op.create_index(
            name,
            "inbox_notifications",
            [column],
            postgresql_where=condition,
            sqlite_where=condition,
        )
