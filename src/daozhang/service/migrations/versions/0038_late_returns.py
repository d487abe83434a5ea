"""Rounds of shares of which it is asked what came back with refunds that were made before their end was known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

compatible_since = "0030"
"""Code from before asks no such question, and leaves the columns alone."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.add_column("share_rounds", sa.Column("returns_due_at", db.Moment(), nullable=True))
    op.add_column(
        "share_rounds",
        sa.Column("returns_ask_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.create_index(
        "ix_share_rounds_returns_due",
        "share_rounds",
        ["returns_due_at"],
        unique=False,
        postgresql_where=sa.text("returns_due_at IS NOT NULL"),
        sqlite_where=sa.text("returns_due_at IS NOT NULL"),
    )
