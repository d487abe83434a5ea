"""Receipts of an account's days, months and movements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

compatible_since = "0030"
"""Code from before has no such receipts and leaves the table alone."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "account_receipts",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("file_id", sa.String(length=128), nullable=True),
        sa.Column("applied_at", db.Moment(), nullable=True),
        sa.Column("apply_count", sa.Integer(), nullable=False),
        sa.Column("ask_count", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_at", db.Moment(), nullable=True),
        sa.Column("last_code", sa.String(length=128), nullable=True),
        sa.Column("last_message", sa.Text(), nullable=True),
        sa.Column("pdf_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("pdf_sha256", sa.String(length=64), nullable=True),
        sa.Column("pdf_bytes", sa.Integer(), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('day', 'month', 'days', 'movement')", name=op.f("ck_account_receipts_kind")
        ),
        sa.CheckConstraint(
            "status IN ('requested', 'making', 'ready', 'failed')",
            name=op.f("ck_account_receipts_status"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_account_receipts_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_receipts")),
        sa.UniqueConstraint(
            "environment",
            "seller_id",
            "kind",
            "key",
            name=op.f("uq_account_receipts_environment_seller_id_kind_key"),
        ),
    )
    op.create_index(
        "ix_account_receipts_due",
        "account_receipts",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
