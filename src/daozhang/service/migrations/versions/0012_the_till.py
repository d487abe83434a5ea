"""The till: each code that was scanned for an order, to its end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

compatible_since = "0009"
"""Code from before never looks into the new table, and an order of the new ways is to it one that
silence is asked about."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "barcode_payments",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("order_id", db.RowId, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("ending", sa.String(length=16), nullable=True),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("scene", sa.String(length=16), nullable=False),
        sa.Column("operator_id", sa.String(length=64), nullable=True),
        sa.Column("terminal_id", sa.String(length=64), nullable=True),
        sa.Column("store_id", sa.String(length=64), nullable=True),
        sa.Column("buyer_acts", sa.Boolean(), nullable=False),
        sa.Column("called_at", db.Moment(), nullable=False),
        sa.Column("wait_until", db.Moment(), nullable=False),
        sa.Column("ask_count", sa.Integer(), nullable=False),
        sa.Column("cancel_count", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_at", db.Moment(), nullable=True),
        sa.Column("last_code", sa.String(length=128), nullable=True),
        sa.Column("last_message", sa.Text(), nullable=True),
        sa.Column("journal", db.Json, nullable=False),
        sa.Column("ended_at", db.Moment(), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint(
            "phase IN ('calling', 'asking', 'declined', 'cancelling', 'ended')",
            name=op.f("ck_barcode_payments_phase"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchants.id"],
            name=op.f("fk_barcode_payments_merchant_id"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_barcode_payments_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_barcode_payments")),
        sa.UniqueConstraint("order_id", "number", name=op.f("uq_barcode_payments_order_id_number")),
    )
    op.create_index(
        "ix_barcode_payments_due",
        "barcode_payments",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
