"""Migrations: how the tables come to be as the code expects them. Alembic, forwards only.

A new revision is made with ``python -m daozhang.service.migrations "what it does"`` and read by a
person before it is committed. Needs every table, so it is used from the top of the service only.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from daozhang.service.db import Database
from daozhang.service.migrations.conditions import condition_differences
from daozhang.service.migrations.steps import TablesBusy, carry_out
from daozhang.service.schema import metadata
from daozhang.service.standing import (
    FIT,
    DatabaseTooNew,
    NotMigrated,
    Standing,
    judge,
    read_compatible_since,
    write_compatible_since,
)

DIRECTORY = Path(__file__).parent


def upgrade(database: Database, revision: str = "head", *, directory: Path = DIRECTORY) -> None:
    """Brings the tables to ``revision`` (the newest one), one revision at a time, beside a service
    that goes on working.

    Does nothing if they are there already, or of a later version on which this one may work. Raises
    `DatabaseTooNew` if it may not, and `TablesBusy`; what was done until then stays. ``directory``
    holds the revisions.
    """
    now = standing(database, directory=directory)
    if now is Standing.TOO_NEW:
        raise DatabaseTooNew
    if now is Standing.NEWER or (now is Standing.CURRENT and revision == "head"):
        return
    config = _config(directory)
    script = ScriptDirectory.from_config(config)
    known = revisions(directory)
    wanted = known[-1] if revision == "head" else revision
    for step in known[: known.index(wanted) + 1]:
        module: Any = script.get_revision(step).module

        def change(connection: sa.Connection, step: str = step, module: Any = module) -> None:
            there = MigrationContext.configure(connection).get_current_revision()
            if there is None or there < step:
                config.attributes["connection"] = connection
                command.upgrade(config, step)
                write_compatible_since(connection, getattr(module, "compatible_since", step))

        if (there := _revision_of(database)) is None or there < step:
            carry_out(database, step, change, getattr(module, "BESIDE", ()))


def is_current(database: Database) -> bool:
    """Whether the tables are at the newest revision of this version of the code."""
    return standing(database) is Standing.CURRENT


def standing(database: Database, *, directory: Path = DIRECTORY) -> Standing:
    """How the tables stand to this version of the code. One read, two if they are not current."""
    with database.read() as tx:
        there = MigrationContext.configure(tx.connection).get_current_revision()
        known = revisions(directory)
        since = None if there in known else read_compatible_since(tx)
    return judge(there, known, since)


def require_fit(database: Database) -> None:
    """Raises `NotMigrated` or `DatabaseTooNew` if this version cannot work on the tables."""
    now = standing(database)
    if now is Standing.TOO_NEW:
        raise DatabaseTooNew
    if now not in FIT:
        raise NotMigrated


def _revision_of(database: Database) -> str | None:
    with database.read() as tx:
        return MigrationContext.configure(tx.connection).get_current_revision()


@cache
def revisions(directory: Path = DIRECTORY) -> tuple[str, ...]:
    """The revisions that this version of the code knows, the oldest first."""
    script = ScriptDirectory.from_config(_config(directory))
    return tuple(one.revision for one in script.walk_revisions())[::-1]


def differences(database: Database) -> list[Any]:
    """What the tables lack of what the code says, or have beyond it: empty when all is well."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=comparison_options())
        found: list[Any] = list(compare_metadata(context, metadata))
    return found + condition_differences(database)


def make_revision(database: Database, message: str) -> None:
    """Writes the revision that takes ``database`` (at the newest one) to what the code says."""
    config = _config()
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.revision(config, message, autogenerate=True)


def comparison_options() -> dict[str, Any]:
    """How tables are compared: ours only (the job queue's tables are its own), types left alone,
    since one type of ours is two on the two databases."""
    return {"include_name": _is_ours, "compare_type": False}


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name in metadata.tables


def _config(directory: Path = DIRECTORY) -> Config:
    config = Config()
    config.set_main_option("script_location", str(directory))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


__all__ = [
    "FIT",
    "DatabaseTooNew",
    "NotMigrated",
    "Standing",
    "TablesBusy",
    "comparison_options",
    "differences",
    "is_current",
    "make_revision",
    "metadata",
    "require_fit",
    "revisions",
    "standing",
    "upgrade",
]
