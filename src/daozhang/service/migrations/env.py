"""Alembic's entry: runs revisions on the connection that `migrations.upgrade` hands over."""

from __future__ import annotations

from typing import Any, Literal, cast

import sqlalchemy as sa
from alembic import context
from alembic.operations import ops

from daozhang.service import db
from daozhang.service.migrations import comparison_options, metadata


def _number(_context: object, _revision: object, directives: list[ops.MigrationScript]) -> None:
    """Revisions are numbered 0001, 0002, …: people say them aloud."""
    for script in directives:
        heads = context.script.get_heads()
        newest = int(heads[0]) if heads else 0
        script.rev_id = f"{newest + 1:04d}"


def _render(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Our own types by their own names: what they are on each database is said in one place."""
    if kind == "type":
        names = {id(db.RowId): "db.RowId", id(db.Json): "db.Json"}
        return names.get(id(item), False)
    return False


connection = cast("sa.Connection", context.config.attributes["connection"])
context.configure(
    connection=connection,
    target_metadata=metadata,
    process_revision_directives=_number,
    render_item=_render,
    user_module_prefix="db.",  # Moment is written as db.Moment(), right on both databases
    **comparison_options(),
)
context.run_migrations()
