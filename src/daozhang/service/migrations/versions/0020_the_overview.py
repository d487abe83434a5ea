"""The overview has sums of its own, and what is searched for and narrowed to is found by an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

compatible_since = "0019"
"""Sums that nobody before has read, and indexes, which change no meaning."""

INDEXES = (
    ("ix_orders_trade_no", "orders", ("trade_no",), "trade_no IS NOT NULL"),
    ("ix_orders_paid_at", "orders", ("merchant_id", "paid_at", "way", "id"), "paid_at IS NOT NULL"),
    ("ix_orders_not_paid", "orders", ("merchant_id", "status", "id"), "status <> 'paid'"),
    ("ix_orders_way", "orders", ("merchant_id", "way", "id"), None),
    (
        "ix_refunds_succeeded",
        "refunds",
        ("merchant_id", "ended_at", "order_id", "amount_minor"),
        "status = 'succeeded'",
    ),
)

BESIDE = tuple(
    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {table} ({', '.join(columns)})"
    + ("" if where is None else f" WHERE {where}")
    for name, table, columns, where in INDEXES
)


def upgrade() -> None:
    """Takes the tables one revision forward."""
    for name, table, columns, where in INDEXES:
        condition = None if where is None else sa.text(where)
        op.create_index(
            name,
            table,
            list(columns),
            unique=False,
            postgresql_where=condition,
            sqlite_where=condition,
            if_not_exists=True,
        )
    op.create_table(
        "overview_hours",
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("created_count", sa.BigInteger(), nullable=False),
        sa.Column("paid_count", sa.BigInteger(), nullable=False),
        sa.Column("received_count", sa.BigInteger(), nullable=False),
        sa.Column("received_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "hour", "way", name=op.f("pk_overview_hours")),
    )
    op.create_table(
        "overview_delays",
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "day", "seconds", name=op.f("pk_overview_delays")),
    )
