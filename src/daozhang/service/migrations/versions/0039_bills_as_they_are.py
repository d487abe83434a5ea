"""Files of bills are zips: PostgreSQL does not try to pack them once more."""

from __future__ import annotations

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

compatible_since = "0030"
"""How a column is stored is nobody's business but the database's."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE statement_file_parts ALTER COLUMN bytes SET STORAGE EXTERNAL")
