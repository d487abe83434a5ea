"""The tables of the service: apps, merchants, keys, orders, refunds, inbox, events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "api_keys",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("key_sha256", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("scopes", db.Json, nullable=False),
        sa.Column("refund_limit_minor", sa.BigInteger(), nullable=True),
        sa.Column("refund_limit_currency", sa.String(length=3), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("last_used_at", db.Moment(), nullable=True),
        sa.Column("revoked_at", db.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_sha256", name=op.f("uq_api_keys_key_sha256")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_keys_prefix")),
    )
    op.create_table(
        "apps",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("app_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("private_key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("encrypt_key_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("alipay_public_key", sa.Text(), nullable=True),
        sa.Column("app_cert", sa.Text(), nullable=True),
        sa.Column("alipay_cert", sa.Text(), nullable=True),
        sa.Column("alipay_root_cert", sa.Text(), nullable=True),
        sa.Column("gateway_url", sa.Text(), nullable=True),
        sa.Column("v3_base_url", sa.Text(), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("retired_at", db.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apps")),
        sa.UniqueConstraint("environment", "app_id", name=op.f("uq_apps_environment_app_id")),
    )
    op.create_table(
        "merchants",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("app_row", db.RowId, nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("auth_app_id", sa.String(length=32), nullable=True),
        sa.Column("app_auth_token_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("late_policy", sa.String(length=16), nullable=False),
        sa.Column("duplicate_policy", sa.String(length=16), nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("retired_at", db.Moment(), nullable=True),
        sa.CheckConstraint(
            "duplicate_policy IN ('person', 'refund_later')",
            name=op.f("ck_merchants_duplicate_policy"),
        ),
        sa.CheckConstraint(
            "late_policy IN ('person', 'fulfil', 'refund')", name=op.f("ck_merchants_late_policy")
        ),
        sa.ForeignKeyConstraint(["app_row"], ["apps.id"], name=op.f("fk_merchants_app_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merchants")),
        sa.UniqueConstraint("slug", name=op.f("uq_merchants_slug")),
    )
    op.create_table(
        "api_key_merchants",
        sa.Column("api_key_id", db.RowId, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("merchant_slug", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("fk_api_key_merchants_api_key_id")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_api_key_merchants_merchant_id")
        ),
        sa.PrimaryKeyConstraint("api_key_id", "merchant_id", name=op.f("pk_api_key_merchants")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("api_key_id", db.RowId, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("route", sa.String(length=300), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("media_type", sa.String(length=64), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("leased_until", db.Moment(), nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("expires_at", db.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("fk_idempotency_keys_api_key_id")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_idempotency_keys_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint(
            "api_key_id",
            "merchant_id",
            "route",
            "key",
            name=op.f("uq_idempotency_keys_api_key_id_merchant_id_route_key"),
        ),
    )
    op.create_index(
        "ix_idempotency_keys_expires_at", "idempotency_keys", ["expires_at"], unique=False
    )
    op.create_table(
        "inbox_notifications",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("notify_id", sa.String(length=128), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("out_trade_no", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("fact", db.Json, nullable=True),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", db.Moment(), nullable=True),
        sa.Column("received_at", db.Moment(), nullable=False),
        sa.Column("applied_at", db.Moment(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('received', 'confirming', 'waiting', 'applied', 'kept', 'surprised')",
            name=op.f("ck_inbox_notifications_status"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_inbox_notifications_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_notifications")),
        sa.UniqueConstraint(
            "merchant_id",
            "notify_id",
            "content_hash",
            name=op.f("uq_inbox_notifications_merchant_id_notify_id_content_hash"),
        ),
    )
    op.create_index(
        "ix_inbox_notifications_due_at", "inbox_notifications", ["due_at"], unique=False
    )
    op.create_index(
        "ix_inbox_notifications_merchant_id_out_trade_no",
        "inbox_notifications",
        ["merchant_id", "out_trade_no"],
        unique=False,
    )
    op.create_index(
        "ix_inbox_notifications_status", "inbox_notifications", ["status"], unique=False
    )
    op.create_table(
        "inbox_refusal_counts",
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_inbox_refusal_counts_merchant_id")
        ),
        sa.PrimaryKeyConstraint(
            "merchant_id", "day", "reason", name=op.f("pk_inbox_refusal_counts")
        ),
    )
    op.create_table(
        "inbox_refused",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", db.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_inbox_refused_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_refused")),
    )
    op.create_index(
        "ix_inbox_refused_merchant_id_id", "inbox_refused", ["merchant_id", "id"], unique=False
    )
    op.create_table(
        "orders",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("app_id", sa.String(length=32), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("out_trade_no", sa.String(length=64), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("cart_ref", sa.String(length=64), nullable=True),
        sa.Column("operator_id", sa.String(length=64), nullable=True),
        sa.Column("terminal_id", sa.String(length=64), nullable=True),
        sa.Column("store_id", sa.String(length=64), nullable=True),
        sa.Column("return_url", sa.Text(), nullable=True),
        sa.Column("passback", sa.Text(), nullable=True),
        sa.Column("metadata", db.Json, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("reserved_minor", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("attention", sa.Boolean(), nullable=False),
        sa.Column("closing_reason", sa.String(length=16), nullable=True),
        sa.Column("closed_reason", sa.String(length=32), nullable=True),
        sa.Column("close_confirmed", sa.Boolean(), nullable=False),
        sa.Column("absent_count", sa.Integer(), nullable=False),
        sa.Column("unclear_count", sa.Integer(), nullable=False),
        sa.Column("query_count", sa.Integer(), nullable=False),
        sa.Column("next_query_at", db.Moment(), nullable=True),
        sa.Column("signed_at", db.Moment(), nullable=True),
        sa.Column("step_count", sa.Integer(), nullable=False),
        sa.Column("trade_no", sa.String(length=64), nullable=True),
        sa.Column("paid_at", db.Moment(), nullable=True),
        sa.Column("payment", db.Json, nullable=True),
        sa.Column("expires_at", db.Moment(), nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint(
            "status IN ('created', 'waiting', 'closing', 'paid', 'finished', 'closed', 'refunded')",
            name=op.f("ck_orders_status"),
        ),
        sa.CheckConstraint(
            "way IN ('page', 'wap', 'app', 'qr', 'barcode', 'mini')", name=op.f("ck_orders_way")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_orders_amount")),
        sa.CheckConstraint(
            "refunded_minor BETWEEN 0 AND amount_minor", name=op.f("ck_orders_refunded")
        ),
        sa.CheckConstraint(
            "reserved_minor BETWEEN 0 AND amount_minor", name=op.f("ck_orders_reserved")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_orders_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint(
            "environment",
            "seller_id",
            "out_trade_no",
            name=op.f("uq_orders_environment_seller_id_out_trade_no"),
        ),
    )
    op.create_index(
        "ix_orders_merchant_id_cart_ref", "orders", ["merchant_id", "cart_ref"], unique=False
    )
    op.create_index("ix_orders_merchant_id_id", "orders", ["merchant_id", "id"], unique=False)
    op.create_index("ix_orders_next_query_at", "orders", ["next_query_at"], unique=False)
    op.create_table(
        "events",
        sa.Column("number", db.RowId, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("order_id", db.RowId, nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("api_version", sa.String(length=16), nullable=False),
        sa.Column("data", db.Json, nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_events_merchant_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_events_order_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_events")),
        sa.UniqueConstraint("id", name=op.f("uq_events_id")),
        sa.UniqueConstraint("order_id", "sequence", name=op.f("uq_events_order_id_sequence")),
    )
    op.create_index(
        "ix_events_merchant_id_number", "events", ["merchant_id", "number"], unique=False
    )
    op.create_table(
        "order_steps",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("order_id", db.RowId, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at", db.Moment(), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=False),
        sa.Column("status_before", sa.String(length=16), nullable=False),
        sa.Column("status_after", sa.String(length=16), nullable=False),
        sa.Column("events", db.Json, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("fact", db.Json, nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_steps_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_steps")),
        sa.UniqueConstraint("order_id", "sequence", name=op.f("uq_order_steps_order_id_sequence")),
    )
    op.create_table(
        "refunds",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("order_id", db.RowId, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("out_request_no", sa.String(length=64), nullable=True),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=256), nullable=True),
        sa.Column("operator_id", sa.String(length=64), nullable=True),
        sa.Column("terminal_id", sa.String(length=64), nullable=True),
        sa.Column("store_id", sa.String(length=64), nullable=True),
        sa.Column("requested_by", sa.String(length=64), nullable=True),
        sa.Column("calling", sa.Boolean(), nullable=False),
        sa.Column("called_at", db.Moment(), nullable=True),
        sa.Column("call_count", sa.Integer(), nullable=False),
        sa.Column("ask_count", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_at", db.Moment(), nullable=True),
        sa.Column("last_code", sa.String(length=128), nullable=True),
        sa.Column("last_message", sa.Text(), nullable=True),
        sa.Column("ended_at", db.Moment(), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint(
            "origin IN ('ours', 'external', 'cancel')", name=op.f("ck_refunds_origin")
        ),
        sa.CheckConstraint(
            "status IN ('requested', 'unknown', 'succeeded', 'failed')",
            name=op.f("ck_refunds_status"),
        ),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_refunds_amount")),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_refunds_merchant_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_refunds_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint(
            "order_id", "out_request_no", name=op.f("uq_refunds_order_id_out_request_no")
        ),
    )
    op.create_index("ix_refunds_due_at", "refunds", ["due_at"], unique=False)
    op.create_index(
        "ix_refunds_requested_by_created_at",
        "refunds",
        ["requested_by", "created_at"],
        unique=False,
    )
    op.create_table(
        "surprises",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("order_id", db.RowId, nullable=True),
        sa.Column("out_trade_no", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("open_key", sa.String(length=200), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("resolved_at", db.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_surprises_merchant_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_surprises_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_surprises")),
        sa.UniqueConstraint("open_key", name=op.f("uq_surprises_open_key")),
    )
