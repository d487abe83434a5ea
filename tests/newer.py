"""A later version of the service, as far as its tables go: our revisions and one more."""

from __future__ import annotations

import shutil
from pathlib import Path

from daozhang.service.migrations import DIRECTORY, revisions

NEXT = f"{int(revisions()[-1]) + 1:04d}"

_REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None
compatible_since = "{since}"
BESIDE = ("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_orders_later ON orders (subject)",)


def upgrade():
    op.add_column("orders", sa.Column("later", sa.Text(), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        op.create_index("ix_orders_later", "orders", ["subject"])
"""


def later_version(directory: Path, *, bears_us: bool) -> Path:
    """The revisions of a later version that has added to ``orders``; whether we may go on then."""
    later = directory / f"later-{bears_us}"
    shutil.copytree(DIRECTORY, later, ignore=shutil.ignore_patterns("__pycache__"))
    text = _REVISION.format(
        revision=NEXT, before=revisions()[-1], since=revisions()[-1] if bears_us else NEXT
    )
    (later / "versions" / f"{NEXT}_later.py").write_text(text)
    return later
