"""Migrations make what the code says, constraints and indexes included, and know when they have."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from daozhang.service.db import Database
from daozhang.service.migrations import differences, is_current, upgrade
from daozhang.service.schema import metadata


def definitions(path: Path) -> dict[str, set[str]]:
    """Each table's and index's definition as a set of its parts: their order says nothing."""
    with sqlite3.connect(path) as books:
        found = books.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {
            name: {part.strip(" ,\n\t)") for part in re.split(r",\s*\n", sql)}
            for name, sql in found
            if name != "alembic_version"
        }


def test_migrated_tables_are_those_of_the_code(tmp_path: Path) -> None:
    migrated = Database(f"sqlite:///{tmp_path / 'migrated.sqlite3'}")
    assert not is_current(migrated)
    upgrade(migrated)
    upgrade(migrated)
    assert is_current(migrated)
    assert differences(migrated) == []
    made = Database(f"sqlite:///{tmp_path / 'made.sqlite3'}")
    with made.begin() as tx:
        metadata.create_all(tx.connection)
    for database in (migrated, made):
        database.dispose()
    said = definitions(tmp_path / "made.sqlite3")
    assert len(said) >= len(metadata.tables) > 0
    assert definitions(tmp_path / "migrated.sqlite3") == said
