"""The switch of a merchant that stops outgoing money, and the refunds that wait for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "outgoing_switches",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=256), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.Column("changed_at", db.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_outgoing_switches_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_switches")),
    )
    op.create_index(
        "ix_outgoing_switches_merchant_id", "outgoing_switches", ["merchant_id", "id"], unique=False
    )
    op.add_column("refunds", sa.Column("held_at", db.Moment(), nullable=True))
    op.create_index(
        "ix_refunds_held",
        "refunds",
        ["merchant_id"],
        unique=False,
        postgresql_where=sa.text("held_at IS NOT NULL"),
        sqlite_where=sa.text("held_at IS NOT NULL"),
    )
