"""${message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
from daozhang.service import db

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None

compatible_since = ${repr(up_revision)}
"""The oldest revision whose code may go on while this one is there. If this one only adds what
older code need not fill (a table, a column that is nullable or has a server default, an index):
that of the revision before. Never lower than that."""

BESIDE = ()
"""CREATE INDEX CONCURRENTLY IF NOT EXISTS ..., for PostgreSQL, run before the rest: an index of a
table that may be large. On SQLite `upgrade` makes it."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    ${upgrades if upgrades else "pass"}
