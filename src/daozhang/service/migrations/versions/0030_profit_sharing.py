"""Profit sharing: receivers, plans, what is passed on and what comes back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

compatible_since = "0030"
"""Code from before would refund what has been passed on, and book a payment without sharing it."""

APPROVED_BEFORE = "'refund', 'alipay_key', 'ledger'"
APPROVED = f"{APPROVED_BEFORE}, 'share'"


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "share_plans",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("content", db.Json, nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_share_plans_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_plans")),
        sa.UniqueConstraint("merchant_id", "name", name=op.f("uq_share_plans_merchant_id_name")),
    )
    op.create_table(
        "share_receivers",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=True),
        sa.Column("memo", sa.String(length=200), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("call_count", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_at", db.Moment(), nullable=True),
        sa.Column("last_code", sa.String(length=128), nullable=True),
        sa.Column("last_message", sa.Text(), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint(
            "status IN ('binding', 'bound', 'refused', 'unbinding', 'unbound')",
            name=op.f("ck_share_receivers_status"),
        ),
        sa.CheckConstraint(
            "type IN ('userId', 'loginName', 'openId')", name=op.f("ck_share_receivers_type")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_share_receivers_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_receivers")),
        sa.UniqueConstraint(
            "merchant_id", "account", name=op.f("uq_share_receivers_merchant_id_account")
        ),
    )
    op.create_index(
        "ix_share_receivers_due",
        "share_receivers",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "share_rounds",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("order_id", db.RowId, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("out_request_no", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("finishes", sa.Boolean(), nullable=False),
        sa.Column("returns", sa.String(length=16), nullable=False),
        sa.Column("plan", sa.String(length=64), nullable=True),
        sa.Column("description", sa.String(length=256), nullable=True),
        sa.Column("settle_no", sa.String(length=64), nullable=True),
        sa.Column("requested_by", sa.String(length=64), nullable=True),
        sa.Column("approved_by", sa.String(length=96), nullable=True),
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
        sa.CheckConstraint("mode IN ('sync', 'async')", name=op.f("ck_share_rounds_mode")),
        sa.CheckConstraint(
            "returns IN ('seller_first', 'receivers_first', 'pro_rata')",
            name=op.f("ck_share_rounds_returns"),
        ),
        sa.CheckConstraint(
            "status IN ('requested', 'unknown', 'accepted', 'done', 'failed')",
            name=op.f("ck_share_rounds_status"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_share_rounds_merchant_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_share_rounds_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_rounds")),
        sa.UniqueConstraint(
            "environment",
            "seller_id",
            "out_request_no",
            name=op.f("uq_share_rounds_environment_seller_id_out_request_no"),
        ),
    )
    op.create_index(
        "ix_share_rounds_due",
        "share_rounds",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_share_rounds_held",
        "share_rounds",
        ["merchant_id"],
        unique=False,
        postgresql_where=sa.text("held_at IS NOT NULL"),
        sqlite_where=sa.text("held_at IS NOT NULL"),
    )
    op.create_index("ix_share_rounds_order_id", "share_rounds", ["order_id"], unique=False)
    op.create_index(
        "ix_share_rounds_requested_by_created_at",
        "share_rounds",
        ["requested_by", "created_at"],
        unique=False,
    )
    op.create_table(
        "shares",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("round_id", db.RowId, nullable=False),
        sa.Column("order_id", db.RowId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("receiver_type", sa.String(length=16), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("returned_minor", sa.BigInteger(), nullable=False),
        sa.Column("returning_minor", sa.BigInteger(), nullable=False),
        sa.Column("covered_minor", sa.BigInteger(), nullable=False),
        sa.Column("last_code", sa.String(length=128), nullable=True),
        sa.Column("last_message", sa.Text(), nullable=True),
        sa.Column("detail_id", sa.String(length=64), nullable=True),
        sa.Column("ended_at", db.Moment(), nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'failed', 'succeeded')", name=op.f("ck_shares_status")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_shares_amount")),
        sa.CheckConstraint(
            "covered_minor BETWEEN 0 AND amount_minor", name=op.f("ck_shares_covered")
        ),
        sa.CheckConstraint(
            "returned_minor BETWEEN 0 AND amount_minor", name=op.f("ck_shares_returned")
        ),
        sa.CheckConstraint(
            "returning_minor BETWEEN 0 AND amount_minor", name=op.f("ck_shares_returning")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_shares_order_id")),
        sa.ForeignKeyConstraint(["round_id"], ["share_rounds.id"], name=op.f("fk_shares_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shares")),
        sa.UniqueConstraint("round_id", "position", name=op.f("uq_shares_round_id_position")),
    )
    op.create_index("ix_shares_order_id", "shares", ["order_id"], unique=False)
    op.create_table(
        "share_returns",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("share_id", db.RowId, nullable=False),
        sa.Column("order_id", db.RowId, nullable=False),
        sa.Column("out_request_no", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("ended_at", db.Moment(), nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'returned', 'failed', 'covered')",
            name=op.f("ck_share_returns_status"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_share_returns_amount")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_share_returns_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["share_id"], ["shares.id"], name=op.f("fk_share_returns_share_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_returns")),
        sa.UniqueConstraint(
            "order_id",
            "out_request_no",
            "share_id",
            name=op.f("uq_share_returns_order_id_out_request_no_share_id"),
        ),
    )
    op.add_column(
        "merchants",
        sa.Column("share_percent_max", sa.Integer(), server_default=sa.text("30"), nullable=False),
    )
    op.add_column("merchants", sa.Column("share_plan", sa.String(length=64), nullable=True))
    op.add_column(
        "merchants",
        sa.Column(
            "share_cover", sa.String(length=16), server_default=sa.text("'person'"), nullable=False
        ),
    )
    op.add_column(
        "orders",
        sa.Column("shared_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column("orders", sa.Column("share_plan", sa.String(length=64), nullable=True))

    _let_shares_be_approved()


def _let_shares_be_approved() -> None:
    """A CHECK that allows more than before: every row that is there passes it."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_approvals_kind"), "approvals", type_="check")
        op.create_check_constraint(op.f("ck_approvals_kind"), "approvals", f"kind IN ({APPROVED})")
        return
    # As in revision 0015, for the reason given there.
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) "
        "WHERE type = 'table' AND name = 'approvals'",
        (f"kind IN ({APPROVED_BEFORE})", f"kind IN ({APPROVED})"),
    )
    assert changed.rowcount == 1, "the table of approvals is not where it was"
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
