"""Links that anybody can pay at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

compatible_since = "0019"
"""Code from before never looks into the new tables."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "paylinks",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("token", sa.String(length=43), nullable=False),
        sa.Column("form_key", sa.String(length=43), nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("least_minor", sa.BigInteger(), nullable=True),
        sa.Column("most_minor", sa.BigInteger(), nullable=True),
        sa.Column("once", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.String(length=256), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_by", db.RowId, nullable=False),
        sa.Column("created_name", sa.String(length=64), nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=True),
        sa.Column("terminal_id", sa.String(length=64), nullable=True),
        sa.Column("expires_at", db.Moment(), nullable=True),
        sa.Column("closed_at", db.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_paylinks_merchant_id")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_paylinks_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paylinks")),
        sa.UniqueConstraint("public_id", name=op.f("uq_paylinks_public_id")),
        sa.UniqueConstraint("token", name=op.f("uq_paylinks_token")),
        sa.UniqueConstraint(
            "merchant_id", "form_key", name=op.f("uq_paylinks_merchant_id_form_key")
        ),
    )
    op.create_index("ix_paylinks_merchant_id_id", "paylinks", ["merchant_id", "id"], unique=False)
    op.create_table(
        "paylink_orders",
        sa.Column("order_id", db.RowId, autoincrement=False, nullable=False),
        sa.Column("paylink_id", db.RowId, nullable=False),
        sa.Column("form_key", sa.String(length=43), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_paylink_orders_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["paylink_id"], ["paylinks.id"], name=op.f("fk_paylink_orders_paylink_id")
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_paylink_orders")),
        sa.UniqueConstraint(
            "paylink_id", "form_key", name=op.f("uq_paylink_orders_paylink_id_form_key")
        ),
    )
