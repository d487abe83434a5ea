"""What Alembic's comparison does not see: the texts of CHECKs and the conditions of partial indices.

Databases rewrite such texts in their own words, so the code's cannot be compared with theirs. The
tables are therefore made once more, empty and out of sight, and the two are asked alike.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from daozhang.service.db import Database
from daozhang.service.schema import metadata

Conditions = dict[tuple[str, str, str], str]
"""By kind, table and name: the text of a CHECK, or the condition of an index ("" if it has none)."""


def condition_differences(database: Database) -> list[tuple[str, str, str, str | None, str | None]]:
    """Each CHECK and each index's condition that is not as the code says.

    Tuples of kind, table, name, what the database has and what the code wants; ``None`` where
    there is none. Writes nothing that lasts.
    """
    with database.engine.connect() as connection:
        schema = "public" if database.dialect == "postgresql" else None
        there = _conditions(connection, schema)
    with _made_afresh(database) as (connection, schema):
        wanted = _conditions(connection, schema)
    return [
        (*key, there.get(key), wanted.get(key))
        for key in sorted(there.keys() | wanted.keys())
        if there.get(key) != wanted.get(key)
    ]


@contextmanager
def _made_afresh(database: Database) -> Generator[tuple[sa.Connection, str | None]]:
    """A connection on which the code's tables exist, empty, until the block ends."""
    if database.dialect == "sqlite":
        engine = sa.create_engine("sqlite://")
        with engine.begin() as connection:
            metadata.create_all(connection)
            yield connection, None
        engine.dispose()
        return
    # Temporary tables: everybody may make them, nobody else sees them, and the rollback ends them.
    with database.engine.connect() as connection:
        own = connection.execution_options(schema_translate_map={None: "pg_temp"})
        metadata.create_all(own, checkfirst=False)
        named = "SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()"
        schema = str(connection.execute(sa.text(named)).scalar_one())
        try:
            yield connection, schema
        finally:
            connection.rollback()


def _conditions(connection: sa.Connection, schema: str | None) -> Conditions:
    inspector = sa.inspect(connection)
    found: Conditions = {}
    for table in metadata.tables:
        if not inspector.has_table(table, schema=schema):
            continue  # Alembic tells that it is missing
        for check in inspector.get_check_constraints(table, schema=schema):
            found["check", table, str(check["name"])] = check["sqltext"]
        for index in inspector.get_indexes(table, schema=schema):
            options: dict[str, Any] = index.get("dialect_options", {})
            where = options.get(f"{connection.dialect.name}_where", "")
            found["condition", table, str(index["name"])] = str(where)
    return found
