"""Refunds to the very end: where the money landed, who gives shares back, which key asked for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

compatible_since = "0009"
"""Code from before leaves the new columns empty. A refund with royalty parameters that it sends first while
both versions work goes without them: then all comes from the seller."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.add_column("refunds", sa.Column("destination", sa.String(length=24), nullable=True))
    op.add_column("refunds", sa.Column("bank_due_at", db.Moment(), nullable=True))
    op.add_column(
        "refunds",
        sa.Column("bank_ask_count", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
    op.add_column("refunds", sa.Column("royalty_parameters", db.Json, nullable=True))
    op.add_column("refunds", sa.Column("idempotency_key", sa.String(length=255), nullable=True))
    op.create_index(
        "ix_refunds_bank_due",
        "refunds",
        ["bank_due_at"],
        unique=False,
        postgresql_where=sa.text("bank_due_at IS NOT NULL"),
        sqlite_where=sa.text("bank_due_at IS NOT NULL"),
    )
