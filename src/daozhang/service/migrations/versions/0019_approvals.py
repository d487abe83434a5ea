"""What waits for a second person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

compatible_since = "0019"
"""Code from before would refund on one person's word what takes two."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "approvals",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("reason", sa.String(length=256), nullable=True),
        sa.Column("content", db.Json, nullable=False),
        sa.Column("requested_by", sa.String(length=96), nullable=False),
        sa.Column("requested_name", sa.String(length=254), nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("expires_at", db.Moment(), nullable=False),
        sa.Column("decided_by", sa.String(length=96), nullable=True),
        sa.Column("decided_name", sa.String(length=254), nullable=True),
        sa.Column("decided_at", db.Moment(), nullable=True),
        sa.Column("decision_note", sa.String(length=256), nullable=True),
        sa.CheckConstraint("kind IN ('refund', 'alipay_key')", name=op.f("ck_approvals_kind")),
        sa.CheckConstraint(
            "status IN ('pending', 'approved', 'declined', 'expired', 'withdrawn')",
            name=op.f("ck_approvals_status"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_approvals_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
        sa.UniqueConstraint("public_id", name=op.f("uq_approvals_public_id")),
    )
    op.create_index("ix_approvals_merchant_id", "approvals", ["merchant_id", "id"], unique=False)
    op.create_index(
        "uq_approvals_pending",
        "approvals",
        ["merchant_id", "kind", "subject"],
        unique=True,
        postgresql_where=sa.text("status = 'pending'"),
        sqlite_where=sa.text("status = 'pending'"),
    )
    op.add_column(
        "merchants", sa.Column("second_person_order_minor", sa.BigInteger(), nullable=True)
    )
    op.add_column("merchants", sa.Column("second_person_day_minor", sa.BigInteger(), nullable=True))
    op.add_column("refunds", sa.Column("approved_by", sa.String(length=96), nullable=True))
