"""Lines of the merchant's bank statements, and which withdrawals they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

compatible_since = "0030"
"""Code from before knows no bank and leaves the tables alone."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "bank_lines",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("counterparty", sa.String(length=200), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("added_by", sa.String(length=96), nullable=False),
        sa.Column("added_at", db.Moment(), nullable=False),
        sa.Column("match_id", db.RowId, nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_bank_lines_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_lines")),
        sa.UniqueConstraint("public_id", name=op.f("uq_bank_lines_public_id")),
        sa.UniqueConstraint(
            "environment",
            "seller_id",
            "fingerprint",
            name=op.f("uq_bank_lines_environment_seller_id_fingerprint"),
        ),
    )
    op.create_index("ix_bank_lines_day", "bank_lines", ["environment", "seller_id", "day"])
    op.create_table(
        "bank_matches",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("approval_id", sa.String(length=32), nullable=True),
        sa.Column("created_by", sa.String(length=96), nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_bank_matches_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_matches")),
        sa.UniqueConstraint("public_id", name=op.f("uq_bank_matches_public_id")),
    )
    op.create_table(
        "bank_match_days",
        sa.Column("match_id", db.RowId, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["match_id"], ["bank_matches.id"], name=op.f("fk_bank_match_days_match_id")
        ),
        sa.PrimaryKeyConstraint("match_id", "day", name=op.f("pk_bank_match_days")),
    )
