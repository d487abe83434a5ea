"""Agreements, their steps, and the tries to charge them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

compatible_since = "0015"
"""Code from before never looks into the new tables."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "agreements",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("app_id", sa.String(length=32), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("external_agreement_no", sa.String(length=32), nullable=False),
        sa.Column("personal_product_code", sa.String(length=64), nullable=False),
        sa.Column("product_code", sa.String(length=64), nullable=False),
        sa.Column("sign_scene", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("rule", db.Json, nullable=True),
        sa.Column("plan", db.Json, nullable=True),
        sa.Column("external_logon_id", sa.String(length=100), nullable=True),
        sa.Column("return_url", sa.Text(), nullable=True),
        sa.Column("agreement_no", sa.String(length=64), nullable=True),
        sa.Column("next_deduct_on", sa.Date(), nullable=True),
        sa.Column("announced_on", sa.Date(), nullable=True),
        sa.Column("signed_at", db.Moment(), nullable=True),
        sa.Column("valid_at", db.Moment(), nullable=True),
        sa.Column("invalid_at", db.Moment(), nullable=True),
        sa.Column("buyer_id", sa.String(length=32), nullable=True),
        sa.Column("buyer_open_id", sa.String(length=128), nullable=True),
        sa.Column("buyer_logon_id", sa.String(length=128), nullable=True),
        sa.Column("attention", sa.Boolean(), nullable=False),
        sa.Column("opened_at", db.Moment(), nullable=True),
        sa.Column("absent_count", sa.Integer(), nullable=False),
        sa.Column("ask_count", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_at", db.Moment(), nullable=True),
        sa.Column("next_try_at", db.Moment(), nullable=True),
        sa.Column("last_code", sa.String(length=128), nullable=True),
        sa.Column("last_message", sa.Text(), nullable=True),
        sa.Column("ended_at", db.Moment(), nullable=True),
        sa.Column("metadata", db.Json, nullable=False),
        sa.Column("expires_at", db.Moment(), nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint(
            "status IN ('created', 'temp', 'active', 'stopped', 'ending', 'ended', 'expired')",
            name=op.f("ck_agreements_status"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_agreements_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
        sa.UniqueConstraint(
            "environment",
            "seller_id",
            "external_agreement_no",
            name=op.f("uq_agreements_environment_seller_id_external_agreement_no"),
        ),
    )
    op.create_index(
        "ix_agreements_due",
        "agreements",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_agreements_merchant_id", "agreements", ["merchant_id", "id"], unique=False)
    op.create_table(
        "agreement_steps",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("agreement_id", db.RowId, nullable=False),
        sa.Column("at", db.Moment(), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("source_ref", sa.String(length=128), nullable=False),
        sa.Column("status_before", sa.String(length=16), nullable=False),
        sa.Column("status_after", sa.String(length=16), nullable=False),
        sa.Column("events", db.Json, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreements.id"], name=op.f("fk_agreement_steps_agreement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_steps")),
    )
    op.create_index(
        op.f("ix_agreement_steps_agreement_id"), "agreement_steps", ["agreement_id"], unique=False
    )
    op.create_table(
        "deductions",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("agreement_id", db.RowId, nullable=False),
        sa.Column("order_id", db.RowId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("ended_at", db.Moment(), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.CheckConstraint(
            "status IN ('open', 'paid', 'failed')", name=op.f("ck_deductions_status")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreements.id"], name=op.f("fk_deductions_agreement_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_deductions_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deductions")),
        sa.UniqueConstraint(
            "agreement_id", "number", name=op.f("uq_deductions_agreement_id_number")
        ),
        sa.UniqueConstraint("order_id", name=op.f("uq_deductions_order_id")),
    )
