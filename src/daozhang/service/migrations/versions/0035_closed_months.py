"""Months that two people have closed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

compatible_since = "0030"
"""Code from before closes no months and leaves the table alone."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "closed_months",
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("proposed_by", sa.String(length=96), nullable=False),
        sa.Column("proposed_name", sa.String(length=254), nullable=False),
        sa.Column("proposed_at", db.Moment(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("closed_by", sa.String(length=96), nullable=True),
        sa.Column("closed_name", sa.String(length=254), nullable=True),
        sa.Column("closed_at", db.Moment(), nullable=True),
        sa.Column("figures", db.Json, nullable=False),
        sa.PrimaryKeyConstraint("environment", "seller_id", "month", name=op.f("pk_closed_months")),
    )
