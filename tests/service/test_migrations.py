"""Migrations make what the code says, constraints and indexes included, and know when they have."""

from __future__ import annotations

import re
from pathlib import Path

import sqlalchemy as sa

from daozhang.service.db import Database
from daozhang.service.migrations import differences, is_current, upgrade
from daozhang.service.schema import metadata
from databases import database_url

_IN_SQLITE = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
_IN_POSTGRESQL = """
    SELECT indexname AS name, indexdef AS sql FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
    UNION ALL
    SELECT table_name || ' ' || column_name, concat_ws(' ', data_type, character_maximum_length,
        is_nullable, column_default) FROM information_schema.columns WHERE table_schema = 'public'
"""


def definitions(database: Database) -> dict[str, set[str]]:
    """What the database says of tables, columns, constraints and indexes, CHECKs included."""
    wanted = _IN_POSTGRESQL if database.dialect == "postgresql" else _IN_SQLITE
    with database.read() as tx:
        return {
            # As a set of its parts: their order says nothing.
            row["name"]: {part.strip(" ,\n\t)") for part in re.split(r",\s*\n", row["sql"])}
            for row in tx.execute(sa.text(wanted)).mappings()
            if "alembic_version" not in row["name"]
        }


def test_migrated_tables_are_those_of_the_code(tmp_path: Path) -> None:
    migrated = Database(database_url(tmp_path, name="migrated", migrated=False))
    assert not is_current(migrated)
    upgrade(migrated)
    upgrade(migrated)
    assert is_current(migrated)
    assert differences(migrated) == []
    made = Database(database_url(tmp_path, name="made", migrated=False))
    with made.begin() as tx:
        metadata.create_all(tx.connection)
    said = definitions(made)
    assert len(said) >= len(metadata.tables) > 0
    assert definitions(migrated) == said
    for database in (migrated, made):
        database.dispose()
