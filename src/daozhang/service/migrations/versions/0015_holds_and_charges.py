"""Holds, and orders that are charged without the buyer: out of a hold, or by an agreement."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

compatible_since = "0015"
"""Code from before does not know what to make of an order that is charged out of a hold or by an
agreement: it would stumble over the first one that it is to ask about."""

OLD_WAYS = "'page', 'wap', 'app', 'qr', 'barcode', 'mini'"
NEW_WAYS = f"{OLD_WAYS}, 'hold', 'agreement'"


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "holds",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("app_id", sa.String(length=32), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("out_order_no", sa.String(length=64), nullable=False),
        sa.Column("out_request_no", sa.String(length=64), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("product_code", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("captured_minor", sa.BigInteger(), nullable=False),
        sa.Column("released_minor", sa.BigInteger(), nullable=False),
        sa.Column("auth_no", sa.String(length=64), nullable=True),
        sa.Column("operation_id", sa.String(length=64), nullable=True),
        sa.Column("payer_user_id", sa.String(length=32), nullable=True),
        sa.Column("payer_open_id", sa.String(length=128), nullable=True),
        sa.Column("payer_logon_id", sa.String(length=128), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("attention", sa.Boolean(), nullable=False),
        sa.Column("closed_reason", sa.String(length=32), nullable=True),
        sa.Column("operator_id", sa.String(length=64), nullable=True),
        sa.Column("terminal_id", sa.String(length=64), nullable=True),
        sa.Column("store_id", sa.String(length=64), nullable=True),
        sa.Column("metadata", db.Json, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("called_at", db.Moment(), nullable=True),
        sa.Column("wait_until", db.Moment(), nullable=True),
        sa.Column("absent_count", sa.Integer(), nullable=False),
        sa.Column("ask_count", sa.Integer(), nullable=False),
        sa.Column("cancel_count", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_at", db.Moment(), nullable=True),
        sa.Column("last_code", sa.String(length=128), nullable=True),
        sa.Column("last_message", sa.Text(), nullable=True),
        sa.Column("authorized_at", db.Moment(), nullable=True),
        sa.Column("expires_at", db.Moment(), nullable=False),
        sa.Column("ended_at", db.Moment(), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint(
            "status IN ('created', 'waiting', 'closing', 'authorized', 'finished', 'closed')",
            name=op.f("ck_holds_status"),
        ),
        sa.CheckConstraint("way IN ('app', 'qr', 'barcode')", name=op.f("ck_holds_way")),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_holds_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
        sa.UniqueConstraint(
            "environment",
            "seller_id",
            "out_order_no",
            name=op.f("uq_holds_environment_seller_id_out_order_no"),
        ),
    )
    op.create_index(
        "ix_holds_due",
        "holds",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_holds_merchant_id", "holds", ["merchant_id", "id"], unique=False)
    op.create_table(
        "charges",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("order_id", db.RowId, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("owner_id", db.RowId, nullable=False),
        sa.Column("instrument", db.Json, nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("ending", sa.String(length=16), nullable=True),
        sa.Column("last_outcome", sa.String(length=16), nullable=True),
        sa.Column("last_code", sa.String(length=128), nullable=True),
        sa.Column("last_message", sa.Text(), nullable=True),
        sa.Column("called_at", db.Moment(), nullable=True),
        sa.Column("call_count", sa.Integer(), nullable=False),
        sa.Column("ask_count", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_at", db.Moment(), nullable=True),
        sa.Column("ended_at", db.Moment(), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint("kind IN ('hold', 'agreement')", name=op.f("ck_charges_kind")),
        sa.CheckConstraint(
            "phase IN ('due', 'calling', 'asking', 'refused', 'ended')",
            name=op.f("ck_charges_phase"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_charges_merchant_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_charges_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charges")),
        sa.UniqueConstraint("order_id", name=op.f("uq_charges_order_id")),
    )
    op.create_index(
        "ix_charges_due",
        "charges",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_charges_owner", "charges", ["kind", "owner_id"], unique=False)
    op.create_table(
        "hold_releases",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("hold_id", db.RowId, nullable=False),
        sa.Column("out_request_no", sa.String(length=64), nullable=True),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("remark", sa.String(length=100), nullable=True),
        sa.Column("operator_id", sa.String(length=64), nullable=True),
        sa.Column("calling", sa.Boolean(), nullable=False),
        sa.Column("rejected", sa.Boolean(), nullable=False),
        sa.Column("called_at", db.Moment(), nullable=True),
        sa.Column("call_count", sa.Integer(), nullable=False),
        sa.Column("ask_count", sa.Integer(), nullable=False),
        sa.Column("last_code", sa.String(length=128), nullable=True),
        sa.Column("last_message", sa.Text(), nullable=True),
        sa.Column("ended_at", db.Moment(), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint("origin IN ('ours', 'external')", name=op.f("ck_hold_releases_origin")),
        sa.CheckConstraint(
            "status IN ('requested', 'unknown', 'succeeded', 'failed')",
            name=op.f("ck_hold_releases_status"),
        ),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_hold_releases_hold_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold_releases")),
        sa.UniqueConstraint(
            "hold_id", "out_request_no", name=op.f("uq_hold_releases_hold_id_out_request_no")
        ),
    )
    op.create_table(
        "hold_steps",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("hold_id", db.RowId, nullable=False),
        sa.Column("at", db.Moment(), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("source_ref", sa.String(length=128), nullable=False),
        sa.Column("status_before", sa.String(length=16), nullable=False),
        sa.Column("status_after", sa.String(length=16), nullable=False),
        sa.Column("events", db.Json, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("fact", db.Json, nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_hold_steps_hold_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold_steps")),
    )
    op.create_index(op.f("ix_hold_steps_hold_id"), "hold_steps", ["hold_id"], unique=False)
    _let_orders_have_new_ways()


def _let_orders_have_new_ways() -> None:
    """A CHECK that allows more than before: every row that is there passes it."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_orders_way"), "orders", type_="check")
        op.create_check_constraint(op.f("ck_orders_way"), "orders", f"way IN ({NEW_WAYS})")
        return
    # As SQLite's own manual describes it (lang_altertable.html, section 7): the text of a CHECK is
    # changed in place, where to make the table anew would copy every order.
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'orders'",
        (f"way IN ({OLD_WAYS})", f"way IN ({NEW_WAYS})"),
    )
    assert changed.rowcount == 1, "the table of orders is not where it was"
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
