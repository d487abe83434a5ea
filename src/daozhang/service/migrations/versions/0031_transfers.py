"""Transfers, what a merchant lets be sent, batches from sheets, and receipts."""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

compatible_since = "0030"
"""Code from before knows nothing of transfers, and sends none."""

KINDS = ("transfer", "transfer_batch")
"""What may be approved from now on, beside what could be before."""

_KIND = re.compile(r"'([a-z_]+)'")
_ALLOWED = re.compile(r"(kind IN \([^)]*)\)")


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "transfer_batches",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=128), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("sheet_sha256", sa.String(length=64), nullable=False),
        sa.Column("requested_by", sa.String(length=96), nullable=False),
        sa.Column("approved_by", sa.String(length=96), nullable=True),
        sa.Column("approval_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint(
            "status IN ('awaiting_approval', 'running', 'declined')",
            name=op.f("ck_transfer_batches_status"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_transfer_batches_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_batches")),
        sa.UniqueConstraint(
            "merchant_id", "number", name=op.f("uq_transfer_batches_merchant_id_number")
        ),
    )
    op.create_index(
        "ix_transfer_batches_approval_id", "transfer_batches", ["approval_id"], unique=False
    )
    op.create_table(
        "transfer_limits",
        sa.Column("merchant_id", db.RowId, autoincrement=False, nullable=False),
        sa.Column("single_max_minor", sa.BigInteger(), nullable=True),
        sa.Column("day_max_minor", sa.BigInteger(), nullable=True),
        sa.Column("second_person_single_minor", sa.BigInteger(), nullable=True),
        sa.Column("second_person_day_minor", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_transfer_limits_merchant_id")
        ),
        sa.PrimaryKeyConstraint("merchant_id", name=op.f("pk_transfer_limits")),
    )
    op.create_table(
        "transfers",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("app_id", sa.String(length=32), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("out_biz_no", sa.String(length=64), nullable=False),
        sa.Column("batch_id", db.RowId, nullable=True),
        sa.Column("batch_row", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("payee_kind", sa.String(length=16), nullable=False),
        sa.Column("payee_shown", sa.String(length=256), nullable=False),
        sa.Column("payee_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("product_code", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=128), nullable=False),
        sa.Column("remark", sa.String(length=200), nullable=True),
        sa.Column("scene_name", sa.String(length=64), nullable=True),
        sa.Column("scene_reports", db.Json, nullable=True),
        sa.Column("requested_by", sa.String(length=96), nullable=False),
        sa.Column("approved_by", sa.String(length=96), nullable=True),
        sa.Column("approval_id", sa.String(length=32), nullable=True),
        sa.Column("order_id", sa.String(length=64), nullable=True),
        sa.Column("pay_fund_order_id", sa.String(length=64), nullable=True),
        sa.Column("attention", sa.Boolean(), nullable=False),
        sa.Column("calling", sa.Boolean(), nullable=False),
        sa.Column("called_at", db.Moment(), nullable=True),
        sa.Column("call_count", sa.Integer(), nullable=False),
        sa.Column("ask_count", sa.Integer(), nullable=False),
        sa.Column("watch_count", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_at", db.Moment(), nullable=True),
        sa.Column("held_at", db.Moment(), nullable=True),
        sa.Column("last_code", sa.String(length=128), nullable=True),
        sa.Column("last_message", sa.Text(), nullable=True),
        sa.Column("paid_at", db.Moment(), nullable=True),
        sa.Column("ended_at", db.Moment(), nullable=True),
        sa.Column("returned_at", db.Moment(), nullable=True),
        sa.Column("counted_at", db.Moment(), nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint(
            "payee_kind IN ('user_id', 'open_id', 'logon_id', 'bank_card')",
            name=op.f("ck_transfers_payee_kind"),
        ),
        sa.CheckConstraint(
            "status IN ('awaiting_approval', 'requested', 'unknown', 'dealing', 'succeeded', 'failed', 'returned')",
            name=op.f("ck_transfers_status"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_transfers_amount")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["transfer_batches.id"], name=op.f("fk_transfers_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_transfers_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
        sa.UniqueConstraint(
            "environment",
            "seller_id",
            "out_biz_no",
            name=op.f("uq_transfers_environment_seller_id_out_biz_no"),
        ),
    )
    op.create_index("ix_transfers_approval_id", "transfers", ["approval_id"], unique=False)
    op.create_index(
        "ix_transfers_awaiting",
        "transfers",
        ["approval_id"],
        unique=False,
        postgresql_where=sa.text("status = 'awaiting_approval'"),
        sqlite_where=sa.text("status = 'awaiting_approval'"),
    )
    op.create_index("ix_transfers_batch_id", "transfers", ["batch_id", "batch_row"], unique=False)
    op.create_index(
        "ix_transfers_counted_at", "transfers", ["merchant_id", "counted_at"], unique=False
    )
    op.create_index(
        "ix_transfers_due",
        "transfers",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_transfers_held",
        "transfers",
        ["merchant_id"],
        unique=False,
        postgresql_where=sa.text("held_at IS NOT NULL"),
        sqlite_where=sa.text("held_at IS NOT NULL"),
    )
    op.create_index("ix_transfers_merchant_id", "transfers", ["merchant_id", "id"], unique=False)
    op.create_index(
        "ix_transfers_undecided",
        "transfers",
        ["status", "created_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('requested', 'unknown', 'dealing')"),
        sqlite_where=sa.text("status IN ('requested', 'unknown', 'dealing')"),
    )
    op.create_table(
        "transfer_receipts",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("transfer_id", db.RowId, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("file_id", sa.String(length=128), nullable=True),
        sa.Column("applied_at", db.Moment(), nullable=True),
        sa.Column("apply_count", sa.Integer(), nullable=False),
        sa.Column("ask_count", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_at", db.Moment(), nullable=True),
        sa.Column("last_code", sa.String(length=128), nullable=True),
        sa.Column("last_message", sa.Text(), nullable=True),
        sa.Column("pdf_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("pdf_sha256", sa.String(length=64), nullable=True),
        sa.Column("pdf_bytes", sa.Integer(), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint(
            "status IN ('requested', 'making', 'ready', 'failed')",
            name=op.f("ck_transfer_receipts_status"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_transfer_receipts_merchant_id")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfers.id"], name=op.f("fk_transfer_receipts_transfer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_receipts")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_transfer_receipts_transfer_id")),
    )
    op.create_index(
        "ix_transfer_receipts_due",
        "transfer_receipts",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
    _let_transfers_be_approved()


def _let_transfers_be_approved() -> None:
    """A CHECK that allows more than before: every row that is there passes it."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        told = connection.execute(
            sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"),
            {"name": "ck_approvals_kind"},
        ).scalar_one()
        kinds = ", ".join(f"'{kind}'" for kind in (*_KIND.findall(told), *KINDS))
        op.drop_constraint(op.f("ck_approvals_kind"), "approvals", type_="check")
        op.create_check_constraint(op.f("ck_approvals_kind"), "approvals", f"kind IN ({kinds})")
        return
    # As in revision 0015, for the reason given there.
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    sql = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'approvals'"
    ).scalar_one()
    more = "".join(f", '{kind}'" for kind in KINDS)
    changed, count = _ALLOWED.subn(lambda found: f"{found.group(1)}{more})", sql)
    assert count == 1, "the table of approvals is not as it was"
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = 'approvals'", (changed,)
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
