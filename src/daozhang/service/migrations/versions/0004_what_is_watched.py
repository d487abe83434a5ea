"""What is watched: tallies, alerts, and small indexes of all that is not over yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "watch_alerts",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("message", db.Json, nullable=False),
        sa.Column("raised_at", db.Moment(), nullable=False),
        sa.Column("sent_at", db.Moment(), nullable=True),
        sa.Column("resolved_at", db.Moment(), nullable=True),
        sa.Column("due_at", db.Moment(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "channel", name=op.f("pk_watch_alerts")),
    )
    op.create_table(
        "watch_positions",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("position", db.RowId, nullable=False),
        sa.Column("ceiling", db.RowId, nullable=False),
        sa.Column("ceiling_at", db.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_watch_positions")),
    )
    op.create_table(
        "watch_rounds",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("due_at", db.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_watch_rounds")),
    )
    op.create_table(
        "watch_tallies",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("hour", db.Moment(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "label", "hour", name=op.f("pk_watch_tallies")),
    )
    op.create_index(
        "ix_inbox_notifications_copied",
        "inbox_notifications",
        ["received_at", "copies"],
        unique=False,
        postgresql_where=sa.text("copies > 1"),
        sqlite_where=sa.text("copies > 1"),
    )
    op.create_index(
        "ix_inbox_notifications_not_applied",
        "inbox_notifications",
        ["status", "received_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('received', 'confirming', 'waiting', 'surprised')"),
        sqlite_where=sa.text("status IN ('received', 'confirming', 'waiting', 'surprised')"),
    )
    op.create_index(
        "ix_orders_open",
        "orders",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('created', 'waiting', 'closing')"),
        sqlite_where=sa.text("status IN ('created', 'waiting', 'closing')"),
    )
    op.create_index(
        "ix_orders_unclear",
        "orders",
        ["id"],
        unique=False,
        postgresql_where=sa.text("unclear_count > 0"),
        sqlite_where=sa.text("unclear_count > 0"),
    )
    op.create_index(
        "ix_orders_unwatched",
        "orders",
        ["id"],
        unique=False,
        postgresql_where=sa.text(
            "status IN ('created', 'waiting', 'closing') AND next_query_at IS NULL"
        ),
        sqlite_where=sa.text(
            "status IN ('created', 'waiting', 'closing') AND next_query_at IS NULL"
        ),
    )
    op.create_index(
        "ix_refunds_undecided",
        "refunds",
        ["status", "created_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('requested', 'unknown')"),
        sqlite_where=sa.text("status IN ('requested', 'unknown')"),
    )
    op.create_index(
        "ix_surprises_open",
        "surprises",
        ["merchant_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("resolved_at IS NULL"),
        sqlite_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index(
        "ix_webhook_deliveries_parked",
        "webhook_deliveries",
        ["endpoint_id"],
        unique=False,
        postgresql_where=sa.text("status = 'parked'"),
        sqlite_where=sa.text("status = 'parked'"),
    )
