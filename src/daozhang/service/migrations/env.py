"""Alembic's entry: runs revisions on the connection that `migrations.upgrade` hands over."""

from __future__ import annotations

from typing import cast

import sqlalchemy as sa
from alembic import context
from alembic.operations import ops

from daozhang.service.migrations import comparison_options, metadata


def _number(_context: object, _revision: object, directives: list[ops.MigrationScript]) -> None:
    """Revisions are numbered 0001, 0002, …: people say them aloud."""
    for script in directives:
        heads = context.script.get_heads()
        newest = int(heads[0]) if heads else 0
        script.rev_id = f"{newest + 1:04d}"


connection = cast("sa.Connection", context.config.attributes["connection"])
context.configure(
    connection=connection,
    target_metadata=metadata,
    process_revision_directives=_number,
    user_module_prefix="db.",  # Moment is written as db.Moment(), right on both databases
    **comparison_options(),
)
context.run_migrations()
