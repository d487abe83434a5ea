"""How surprises end: who has one, what became of it, and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

compatible_since = "0019"
"""Code from before ends no surprise, and looks at the open ones only."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    for column in (
        sa.Column("notification_id", db.RowId, nullable=True),
        sa.Column("owner_name", sa.String(length=254), nullable=True),
        sa.Column("resolution", sa.String(length=16), nullable=True),
        sa.Column("resolved_by", sa.String(length=96), nullable=True),
        sa.Column("resolved_name", sa.String(length=254), nullable=True),
        sa.Column("resolution_note", sa.Text(), nullable=True),
    ):
        op.add_column("surprises", column)
