"""The ledger: books, what is posted to them, their sums, and the days that are closed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

compatible_since = "0027"
"""Code from before posts nothing: what it books is posted afterwards, as all that was booked before."""

APPROVED_BEFORE = "'refund', 'alipay_key'"
APPROVED = f"{APPROVED_BEFORE}, 'ledger'"


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "ledger_books",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("payout", sa.String(length=16), nullable=False),
        sa.Column("fee_ppm", sa.Integer(), nullable=False),
        sa.Column("locked_through", sa.Date(), nullable=True),
        sa.CheckConstraint("payout IN ('at_once', 'later')", name=op.f("ck_ledger_books_payout")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_books")),
        sa.UniqueConstraint(
            "environment",
            "seller_id",
            "currency",
            name=op.f("uq_ledger_books_environment_seller_id_currency"),
        ),
    )
    op.create_table(
        "ledger_moves",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("book_id", db.RowId, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("debit", sa.String(length=24), nullable=False),
        sa.Column("credit", sa.String(length=24), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("at", db.Moment(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("order_id", db.RowId, nullable=True),
        sa.Column("merchant_id", db.RowId, nullable=True),
        sa.Column("memo", sa.Text(), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_ledger_moves_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_moves")),
        sa.UniqueConstraint(
            "book_id", "kind", "key", "number", name=op.f("uq_ledger_moves_book_id_kind_key_number")
        ),
    )
    op.create_index(
        "ix_ledger_moves_booked_on", "ledger_moves", ["book_id", "booked_on", "id"], unique=False
    )
    op.create_index(
        "ix_ledger_moves_order",
        "ledger_moves",
        ["order_id"],
        unique=False,
        postgresql_where=sa.text("order_id IS NOT NULL AND kind <> 'payment'"),
        sqlite_where=sa.text("order_id IS NOT NULL AND kind <> 'payment'"),
    )
    op.create_table(
        "ledger_sums",
        sa.Column("book_id", db.RowId, nullable=False),
        sa.Column("account", sa.String(length=24), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("debit_minor", sa.BigInteger(), nullable=False),
        sa.Column("credit_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "account", "day", name=op.f("pk_ledger_sums")),
    )
    op.create_table(
        "ledger_locks",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("book_id", db.RowId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("locked_by", sa.String(length=96), nullable=False),
        sa.Column("locked_name", sa.String(length=254), nullable=False),
        sa.Column("locked_at", db.Moment(), nullable=False),
        sa.Column("note", sa.String(length=256), nullable=True),
        sa.ForeignKeyConstraint(
            ["book_id"], ["ledger_books.id"], name=op.f("fk_ledger_locks_book_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_locks")),
        sa.UniqueConstraint("book_id", "day", name=op.f("uq_ledger_locks_book_id_day")),
    )
    op.create_table(
        "ledger_backfill",
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", db.RowId, nullable=False),
        sa.Column("upto", db.RowId, nullable=True),
        sa.Column("reached_at", db.Moment(), nullable=True),
        sa.Column("starts_at", db.Moment(), nullable=False),
        sa.Column("ended_at", db.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("round", name=op.f("pk_ledger_backfill")),
    )
    _let_entries_be_approved()


def _let_entries_be_approved() -> None:
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
