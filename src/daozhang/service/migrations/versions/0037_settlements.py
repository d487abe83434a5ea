"""Settlements that direct-pay merchants confirm, which merchants do, and which refunds come after one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

compatible_since = "0030"
"""Code from before makes merchants without the column, which are none of direct pay, and leaves the table
alone."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.add_column(
        "merchants",
        sa.Column("direct_pay", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("refunds", sa.Column("settle_confirm_no", sa.String(length=64), nullable=True))
    op.create_table(
        "settlements",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("order_id", db.RowId, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("out_request_no", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("freezes", sa.Boolean(), nullable=False),
        sa.Column("requested_by", sa.String(length=64), nullable=True),
        sa.Column("calling", sa.Boolean(), nullable=False),
        sa.Column("called_at", db.Moment(), nullable=True),
        sa.Column("call_count", sa.Integer(), nullable=False),
        sa.Column("ask_count", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_at", db.Moment(), nullable=True),
        sa.Column("held_at", db.Moment(), nullable=True),
        sa.Column("last_code", sa.String(length=128), nullable=True),
        sa.Column("last_message", sa.Text(), nullable=True),
        sa.Column("ended_at", db.Moment(), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_settlements_amount")),
        sa.CheckConstraint(
            "status IN ('requested', 'unknown', 'confirmed', 'failed')",
            name=op.f("ck_settlements_status"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_settlements_merchant_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_settlements_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlements")),
        sa.UniqueConstraint(
            "environment",
            "seller_id",
            "out_request_no",
            name=op.f("uq_settlements_environment_seller_id_out_request_no"),
        ),
    )
    op.create_index("ix_settlements_order_id", "settlements", ["order_id"], unique=False)
    op.create_index(
        "ix_settlements_due",
        "settlements",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_settlements_held",
        "settlements",
        ["merchant_id"],
        unique=False,
        postgresql_where=sa.text("held_at IS NOT NULL"),
        sqlite_where=sa.text("held_at IS NOT NULL"),
    )
