"""Shifts at the till."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

compatible_since = "0026"
"""Code from before would refund on one person's word what takes two in a shift."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "shifts",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("person_id", db.RowId, nullable=False),
        sa.Column("person_name", sa.String(length=64), nullable=False),
        sa.Column("store_id", sa.String(length=32), nullable=False),
        sa.Column("terminal_id", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("opened_at", db.Moment(), nullable=False),
        sa.Column("handed_over_at", db.Moment(), nullable=True),
        sa.Column("counted", db.Json, nullable=False),
        sa.Column("note", sa.String(length=256), nullable=True),
        sa.Column("taken_by", db.RowId, nullable=True),
        sa.Column("taken_name", sa.String(length=64), nullable=True),
        sa.Column("taken_at", db.Moment(), nullable=True),
        sa.Column("taken_note", sa.String(length=256), nullable=True),
        sa.CheckConstraint(
            "status IN ('open', 'handed_over', 'taken')", name=op.f("ck_shifts_status")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_shifts_merchant_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_shifts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shifts")),
        sa.UniqueConstraint("public_id", name=op.f("uq_shifts_public_id")),
    )
    op.create_index("ix_shifts_merchant_id", "shifts", ["merchant_id", "id"], unique=False)
    op.create_index(
        "uq_shifts_open",
        "shifts",
        ["merchant_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
        sqlite_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "shift_orders",
        sa.Column("order_id", db.RowId, autoincrement=False, nullable=False),
        sa.Column("shift_id", db.RowId, nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_shift_orders_order_id")),
        sa.ForeignKeyConstraint(["shift_id"], ["shifts.id"], name=op.f("fk_shift_orders_shift_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_shift_orders")),
    )
    op.create_index(
        "ix_shift_orders_shift_id", "shift_orders", ["shift_id", "order_id"], unique=False
    )
    op.add_column(
        "merchants", sa.Column("second_person_shift_minor", sa.BigInteger(), nullable=True)
    )
    op.add_column("refunds", sa.Column("shift_id", db.RowId, nullable=True))
    op.create_index(
        "ix_refunds_shift",
        "refunds",
        ["shift_id"],
        unique=False,
        postgresql_where=sa.text("shift_id IS NOT NULL"),
        sqlite_where=sa.text("shift_id IS NOT NULL"),
    )
