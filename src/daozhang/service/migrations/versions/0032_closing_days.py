"""What people make of what differs, and the days that they close."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

compatible_since = "0030"
"""Code from before closes no days and leaves the tables alone."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "cases",
        sa.Column("mismatch_id", db.RowId, autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=96), nullable=True),
        sa.Column("owner_name", sa.String(length=254), nullable=True),
        sa.Column("proposed_end", sa.String(length=16), nullable=True),
        sa.Column("proposed_by", sa.String(length=96), nullable=True),
        sa.Column("proposed_name", sa.String(length=254), nullable=True),
        sa.Column("proposal", sa.Text(), nullable=True),
        sa.Column("settled_by", sa.String(length=96), nullable=True),
        sa.Column("settled_name", sa.String(length=254), nullable=True),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint(
            "status IN ('open', 'proposed', 'settled')", name=op.f("ck_cases_status")
        ),
        sa.PrimaryKeyConstraint("mismatch_id", name=op.f("pk_cases")),
    )
    op.create_table(
        "case_notes",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("mismatch_id", db.RowId, nullable=False),
        sa.Column("at", db.Moment(), nullable=False),
        sa.Column("by", sa.String(length=96), nullable=False),
        sa.Column("name", sa.String(length=254), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_notes")),
    )
    op.create_index(op.f("ix_case_notes_mismatch_id"), "case_notes", ["mismatch_id"])
    op.create_table(
        "closed_days",
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("closed_by", sa.String(length=96), nullable=False),
        sa.Column("closed_name", sa.String(length=254), nullable=False),
        sa.Column("closed_at", db.Moment(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("figures", db.Json, nullable=False),
        sa.PrimaryKeyConstraint("environment", "seller_id", "day", name=op.f("pk_closed_days")),
    )
