"""Orders are found by words and numbers; the index is filled by its duty, for old rows too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

compatible_since = "0019"
"""Code from before leaves the index behind; whoever comes after goes on where it ends."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "search_terms",
        sa.Column("merchant_id", db.RowId, autoincrement=False, nullable=False),
        sa.Column("term", sa.String(length=96), nullable=False),
        sa.Column("block", db.RowId, autoincrement=False, nullable=False),
        sa.Column("bits", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "term", "block", name=op.f("pk_search_terms")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_numbers",
        sa.Column("merchant_id", db.RowId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=96), nullable=False),
        sa.Column("order_id", db.RowId, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "merchant_id", "number", "order_id", name=op.f("pk_search_numbers")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_marks",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("after_id", db.RowId, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_search_marks")),
    )
