"""Messages of the application gateway are found without walking through every payment's notification."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

compatible_since = "0009"
"""An index changes no meaning. A message that comes while both versions work may be applied by the older
one, which knows no messages and shows it to a person as a notification that it does not understand."""

BESIDE = (
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_inbox_notifications_messages ON"
    " inbox_notifications (merchant_id, id) WHERE substr(kind, 1, 8) = 'message:'",
)


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_index(
        "ix_inbox_notifications_messages",
        "inbox_notifications",
        ["merchant_id", "id"],
        unique=False,
        postgresql_where=sa.text("substr(kind, 1, 8) = 'message:'"),
        sqlite_where=sa.text("substr(kind, 1, 8) = 'message:'"),
        if_not_exists=True,
    )
