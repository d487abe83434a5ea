"""Bills of Alipay's, their files, and what differs between them and the books."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

compatible_since = "0028"
"""Code from before fetches no bills, and a refund that it books is in none until it is matched."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    _statements()
    _reconciliation()
    op.add_column("refunds", sa.Column("billed_on", sa.Date(), nullable=True))


def _statements() -> None:
    op.create_table(
        "statements",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("file_id", db.RowId, nullable=True),
        sa.Column("due_at", db.Moment(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_code", sa.String(length=64), nullable=True),
        sa.Column("last_message", sa.Text(), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint("kind IN ('trade', 'signcustomer')", name=op.f("ck_statements_kind")),
        sa.CheckConstraint(
            "status IN ('waiting', 'kept', 'ready', 'held', 'none', 'absent')",
            name=op.f("ck_statements_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statements")),
        sa.UniqueConstraint(
            "environment",
            "seller_id",
            "kind",
            "period",
            name=op.f("uq_statements_environment_seller_id_kind_period"),
        ),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_statements_due_at", "statements", ["due_at"], postgresql_where=due, sqlite_where=due
    )
    op.create_table(
        "statement_files",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("statement_id", db.RowId, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("added_by", sa.String(length=96), nullable=False),
        sa.Column("added_name", sa.String(length=254), nullable=False),
        sa.Column("added_at", db.Moment(), nullable=False),
        sa.Column("line_count", sa.BigInteger(), nullable=True),
        sa.Column("totals", db.Json, nullable=True),
        sa.Column("differences", db.Json, nullable=False),
        sa.Column("new_columns", db.Json, nullable=False),
        sa.Column("problem", db.Json, nullable=True),
        sa.CheckConstraint(
            "origin IN ('fetched', 'uploaded')", name=op.f("ck_statement_files_origin")
        ),
        sa.CheckConstraint(
            "status IN ('kept', 'ready', 'held', 'replaced')",
            name=op.f("ck_statement_files_status"),
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["statements.id"], name=op.f("fk_statement_files_statement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_files")),
        sa.UniqueConstraint("public_id", name=op.f("uq_statement_files_public_id")),
        sa.UniqueConstraint(
            "statement_id", "sha256", name=op.f("uq_statement_files_statement_id_sha256")
        ),
    )
    op.create_table(
        "statement_file_parts",
        sa.Column("file_id", db.RowId, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("file_id", "number", name=op.f("pk_statement_file_parts")),
    )


def _reconciliation() -> None:
    op.create_table(
        "reconciliation_runs",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("statement_id", db.RowId, nullable=False),
        sa.Column("file_id", db.RowId, nullable=True),
        sa.Column("at", db.Moment(), nullable=False),
        sa.Column("line_count", sa.BigInteger(), nullable=False),
        sa.Column("matched_count", sa.BigInteger(), nullable=False),
        sa.Column("matched_minor", sa.BigInteger(), nullable=False),
        sa.Column("counts", db.Json, nullable=False),
        sa.Column("figures", db.Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_runs")),
    )
    op.create_index(
        op.f("ix_reconciliation_runs_statement_id"), "reconciliation_runs", ["statement_id"]
    )
    op.create_table(
        "mismatches",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("mismatch", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=True),
        sa.Column("order_id", db.RowId, nullable=True),
        sa.Column("trade_no", sa.String(length=64), nullable=True),
        sa.Column("out_trade_no", sa.String(length=64), nullable=True),
        sa.Column("out_request_no", sa.String(length=64), nullable=True),
        sa.Column("ours_minor", sa.BigInteger(), nullable=True),
        sa.Column("theirs_minor", sa.BigInteger(), nullable=True),
        sa.Column("evidence", db.Json, nullable=False),
        sa.Column("resolution", sa.String(length=16), nullable=True),
        sa.Column("first_seen_at", db.Moment(), nullable=False),
        sa.Column("last_run_id", db.RowId, nullable=False),
        sa.Column("resolved_at", db.Moment(), nullable=True),
        sa.CheckConstraint("kind IN ('trade', 'signcustomer')", name=op.f("ck_mismatches_kind")),
        sa.CheckConstraint(
            "mismatch IN ('missing_here', 'missing_there', 'amount_differs', 'fee_differs', "
            "'state_differs', 'day_cut', 'duplicate', 'foreign')",
            name=op.f("ck_mismatches_mismatch"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mismatches")),
        sa.UniqueConstraint("public_id", name=op.f("uq_mismatches_public_id")),
        sa.UniqueConstraint(
            "environment",
            "seller_id",
            "day",
            "kind",
            "mismatch",
            "key",
            name=op.f("uq_mismatches_environment_seller_id_day_kind_mismatch_key"),
        ),
    )
    unresolved = sa.text("resolved_at IS NULL")
    op.create_index(
        "ix_mismatches_open",
        "mismatches",
        ["environment", "seller_id", "day"],
        postgresql_where=unresolved,
        sqlite_where=unresolved,
    )
    op.create_table(
        "foreign_rules",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("prefix", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("made_by", sa.String(length=96), nullable=False),
        sa.Column("made_at", db.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_foreign_rules")),
        sa.UniqueConstraint(
            "environment",
            "seller_id",
            "prefix",
            name=op.f("uq_foreign_rules_environment_seller_id_prefix"),
        ),
    )
