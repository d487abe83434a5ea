"""Refunds are listed: all of a merchant's, and those that did not go as somebody asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

compatible_since = "0019"
"""Only indexes: code from before does not see them."""

BESIDE = (
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_refunds_merchant_id ON refunds (merchant_id, id)",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_refunds_otherwise ON refunds (merchant_id, id)"
    " WHERE status = 'failed' OR origin = 'external' OR destination = 'buyer_balance'",
)


def upgrade() -> None:
    """Takes the tables one revision forward."""
    otherwise = "status = 'failed' OR origin = 'external' OR destination = 'buyer_balance'"
    op.create_index(
        "ix_refunds_merchant_id",
        "refunds",
        ["merchant_id", "id"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        "ix_refunds_otherwise",
        "refunds",
        ["merchant_id", "id"],
        unique=False,
        postgresql_where=sa.text(otherwise),
        sqlite_where=sa.text(otherwise),
        if_not_exists=True,
    )
