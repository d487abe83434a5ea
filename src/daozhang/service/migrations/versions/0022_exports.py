"""Lists of orders as files, kept for some days."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

compatible_since = "0019"
"""Code from before knows no exports and leaves the tables alone."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "exports",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("sought", db.Json, nullable=False),
        sa.Column("words", db.Json, nullable=False),
        sa.Column("rows_done", db.RowId, nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("bytes_count", db.RowId, nullable=False),
        sa.Column("requested_by", sa.String(length=96), nullable=False),
        sa.Column("requested_name", sa.String(length=254), nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.Column("ended_at", db.Moment(), nullable=True),
        sa.Column("expires_at", db.Moment(), nullable=False),
        sa.CheckConstraint("format IN ('xlsx', 'csv')", name=op.f("ck_exports_format")),
        sa.CheckConstraint(
            "status IN ('waiting', 'running', 'done', 'failed', 'expired')",
            name=op.f("ck_exports_status"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_exports_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
        sa.UniqueConstraint("public_id", name=op.f("uq_exports_public_id")),
    )
    op.create_index("ix_exports_merchant_id", "exports", ["merchant_id", "id"], unique=False)
    op.create_table(
        "export_parts",
        sa.Column("export_id", db.RowId, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("export_id", "number", name=op.f("pk_export_parts")),
    )
