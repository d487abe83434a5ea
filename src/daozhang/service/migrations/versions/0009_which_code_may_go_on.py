"""Which code may go on: tables say whether a process of an earlier version may work on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

compatible_since = "0009"
"""Code from before does not ask."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "schema_compatibility",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("compatible_since", sa.String(length=32), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_schema_compatibility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schema_compatibility")),
    )
