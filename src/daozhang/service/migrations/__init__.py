"""Migrations: how the tables come to be as the code expects them. Alembic, forwards only.

A new revision is made with ``python -m daozhang.service.migrations "what it does"`` and read by a
person before it is committed. Needs every table, so it is used from the top of the service only.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from daozhang.service.db import Database
from daozhang.service.migrations.conditions import condition_differences
from daozhang.service.schema import metadata

DIRECTORY = Path(__file__).parent


def upgrade(database: Database, revision: str = "head") -> None:
    """Brings the tables to ``revision`` (the newest one), in one transaction.

    Does nothing if they are there already.
    """
    config = _config()
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def is_current(database: Database) -> bool:
    """Whether the tables are at the newest revision of this version of the code."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == _newest()


@cache
def _newest() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def revisions() -> tuple[str, ...]:
    """The revisions that this version of the code knows, the oldest first."""
    script = ScriptDirectory.from_config(_config())
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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(DIRECTORY))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


__all__ = [
    "comparison_options",
    "differences",
    "is_current",
    "make_revision",
    "metadata",
    "revisions",
    "upgrade",
]
