"""Migrations make what the code says, constraints and indexes included, and know when they have."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from daozhang.service.db import Database
from daozhang.service.migrations import differences, is_current, revisions, upgrade
from daozhang.service.schema import metadata
from databases import database_url, run

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
            # SQLite puts a column that came later onto the line of the one before it.
            row["name"]: {
                part.strip(" ,\n\t)")
                for part in re.split(r",\s*\n|, (?=[a-z_]+ [A-Z]+[,\s(])", row["sql"])
            }
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


VALUES: dict[type[Any], Any] = {
    sa.Boolean: True,
    sa.Integer: 1,
    sa.JSON: {"kept": ["word", "for", "word"]},
    sa.LargeBinary: b"\x00kept",
    sa.DateTime: datetime(2026, 3, 2, 1, 0, tzinfo=UTC),
    sa.Date: date(2026, 3, 2),
    sa.String: "kept",
}
"""What a column of each type is filled with; each family before the one that it belongs to."""


ABOUT_ITSELF = frozenset({"alembic_version", "schema_compatibility"})
"""Tables in which migrations write down what they have done."""


def value_of(column: sa.Column[Any], checks: list[str]) -> Any:
    """A value that ``column`` takes: if a CHECK lists its values, the first of them."""
    for check in checks:
        if re.match(rf"\W*{column.name}\W", check) and (listed := re.search(r"'(\w+)'", check)):
            return listed[1]
    for family, value in VALUES.items():
        if isinstance(column.type, family):
            length = getattr(column.type, "length", None)
            return value[:length] if isinstance(value, str) else value
    raise AssertionError(f"{column} has a type that is not known here: {column.type!r}")


def tables_of(database: Database) -> list[sa.Table]:
    """The tables as they are now, those first to which others refer."""
    there = sa.MetaData()
    with database.read() as tx:
        there.reflect(tx.connection)
    return [table for table in there.sorted_tables if table.name not in ABOUT_ITSELF]


def fill(database: Database, tables: list[sa.Table]) -> None:
    """Puts one row, every column filled, into each of ``tables`` that has none."""
    with database.begin() as tx:
        inspector = sa.inspect(tx.connection)
        for table in tables:
            if tx.execute(sa.select(table)).first():
                continue
            checks = [check["sqltext"] for check in inspector.get_check_constraints(table.name)]
            tx.execute(
                table.insert(), {column.name: value_of(column, checks) for column in table.columns}
            )


def rows_of(database: Database, tables: list[sa.Table]) -> dict[str, dict[str, Any]]:
    """The one row of each table."""
    with database.read() as tx:
        return {table.name: dict(tx.execute(sa.select(table)).mappings().one()) for table in tables}


def empty(database: Database, tables: list[sa.Table]) -> None:
    """Takes every row out."""
    with database.begin() as tx:
        for table in reversed(tables):
            tx.execute(table.delete())


def test_each_revision_goes_forward_with_every_column_filled(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path, name="old", migrated=False))
    first, *others = revisions()
    upgrade(database, first)
    tables = tables_of(database)
    for revision in others:
        assert not is_current(database)
        empty(database, tables)
        fill(database, tables)
        before = rows_of(database, tables)
        assert {"orders", "refunds", "events", "inbox_notifications"} <= before.keys()
        assert all(value is not None for row in before.values() for value in row.values())
        upgrade(database, revision)
        tables = tables_of(database)
        fill(database, tables)  # those that have come
        after = rows_of(database, tables)
        for table, row in before.items():
            kept = {name: after[table][name] for name in row if name in after[table]}
            assert kept == {name: row[name] for name in kept}, (revision, table)
    assert is_current(database)
    assert differences(database) == []
    database.dispose()


def test_a_database_goes_forward_one_revision_at_a_time_with_rows(tmp_path: Path) -> None:
    """Rows of each revision stay there, with what later ones have added to them."""
    database = Database(database_url(tmp_path, name="growing", migrated=False))
    for revision in revisions():
        upgrade(database, revision)
        fill(database, tables_of(database))
    assert differences(database) == []
    assert rows_of(database, tables_of(database)).keys() == metadata.tables.keys() - ABOUT_ITSELF
    database.dispose()


def test_what_alembic_does_not_see_is_seen(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path, name="changed", migrated=False))
    upgrade(database)
    run(
        database,
        "DROP INDEX ix_inbox_notifications_waiting",
        "CREATE INDEX ix_inbox_notifications_waiting ON inbox_notifications (merchant_id)"
        " WHERE status = 'applied'",
    )
    [(kind, table, name, there, wanted)] = differences(database)
    assert (kind, table, name) == (
        "condition",
        "inbox_notifications",
        "ix_inbox_notifications_waiting",
    )
    assert "applied" in there
    assert "waiting" in wanted
    weaken_check(database)
    [(kind, table, name, there, wanted), _] = differences(database)
    assert (kind, table, name) == ("check", "orders", "ck_orders_amount")
    assert ">= 0" in there
    assert "> 0" in wanted
    database.dispose()


def weaken_check(database: Database) -> None:
    """Lets an order be of no money."""
    if database.dialect == "postgresql":
        run(
            database,
            "ALTER TABLE orders DROP CONSTRAINT ck_orders_amount",
            "ALTER TABLE orders ADD CONSTRAINT ck_orders_amount CHECK (amount_minor >= 0)",
        )
        return
    run(
        database,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, 'amount_minor > 0', 'amount_minor >= 0')"
        " WHERE name = 'orders'",
        "PRAGMA writable_schema = RESET",
    )
