"""Bulk: rows straight to the driver, many in one statement. What hot paths write, on both databases.

On PostgreSQL a column travels as one binary array and is unnested there, or as one value if all
rows share it, as they do half of what is written for a notification (4 µs of our CPU a row, where
SQLAlchemy's own way takes 40). On SQLite the driver runs one prepared statement per row. The
types, and what they do to a value, are those of the tables: there is no second home for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC
from functools import lru_cache
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg

from daozhang.service.db import Moment, Tx, json_text

Row = Mapping[str, Any]
_Convert = Callable[[Any], Any]

_DIALECTS: Final[Mapping[str, sa.Dialect]] = {
    "postgresql": postgresql.dialect(),
    "sqlite": sqlite.dialect(),
}


def insert_rows(
    tx: Tx,
    table: sa.Table,
    rows: Sequence[Row],
    *,
    on_conflict: str = "",
) -> None:
    """Inserts ``rows``, which all have the same columns.

    ``on_conflict`` is an ``ON CONFLICT`` clause, which both databases spell alike.
    """
    if not rows:
        return
    columns = tuple(rows[0])
    if tx.dialect == "postgresql":
        shared, values = _packed(table, columns, rows)
        _execute(tx, _insert_packed_sql(table, columns, shared, on_conflict), values)
    else:
        _execute_each(tx, table, columns, rows, _insert_sql(table, columns, on_conflict))


def insert_row(
    tx: Tx, table: sa.Table, row: Row, *, returning: str, on_conflict: str = ""
) -> Any | None:
    """Inserts one row and returns that column of it; ``None`` if ``on_conflict`` let it be."""
    columns = tuple(row)
    converts = _converts(tx.dialect, table, columns)
    values = [
        value if convert is None else convert(value)
        for value, convert in zip(row.values(), converts, strict=True)
    ]
    on_postgresql = tx.dialect == "postgresql"
    sql = _insert_one_sql(table, columns, on_conflict, returning, on_postgresql)
    with closing(_driver_of(tx).cursor()) as cursor:
        if on_postgresql:
            cursor.execute(sql, values, prepare=True)
        else:
            cursor.execute(sql, values)
        found = cursor.fetchone()
    return None if found is None else found[0]


def update_rows(tx: Tx, table: sa.Table, rows: Sequence[Row], *, key: str = "id") -> None:
    """Writes the columns of ``rows`` to the rows of the table with the same ``key``."""
    if not rows:
        return
    # The key last: that is where the statements have it.
    columns = (*(name for name in rows[0] if name != key), key)
    if tx.dialect == "postgresql":
        shared, values = _packed(table, columns, rows)
        _execute(tx, _update_packed_sql(table, columns, shared), values)
    else:
        _execute_each(tx, table, columns, rows, _update_sql(table, columns))


def read_rows(
    tx: Tx, statement: sa.Select[Any], parameters: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The rows that ``statement`` finds, by column. For a statement that is built once.

    On PostgreSQL straight from the driver: half of what reading them costs, and the only way
    while a transaction travels in one go (`Database.begin`).
    """
    if tx.dialect != "postgresql":
        found = tx.execute(statement, parameters)
        names = tuple(found.keys())
        # A dict each: looking a column up in a row of SQLAlchemy's costs three times as much.
        return [dict(zip(names, values, strict=True)) for values in found.all()]
    compiled, moments = _compiled(statement)
    with _driver_of(tx).cursor(binary=True) as cursor:
        # Its own parameters as well: a constant in the statement is one.
        given = compiled.construct_params(dict(parameters))
        cursor.execute(compiled.string, given, prepare=True)
        found = cursor.fetchall()
        names = tuple(column.name for column in cursor.description)  # known once they are here
    rows = [dict(zip(names, values, strict=True)) for values in found]
    for row in rows:
        for name in moments:
            if (moment := row[name]) is not None:
                row[name] = moment.astimezone(UTC)
    return rows


@lru_cache(maxsize=64)
def _compiled(statement: sa.Select[Any]) -> tuple[sa.Compiled, tuple[str, ...]]:
    """As the driver takes it, and the columns that hold moments."""
    moments = tuple(c.name for c in statement.selected_columns if isinstance(c.type, Moment))
    dialect = psycopg.dialect(paramstyle="pyformat")
    return statement.compile(dialect=dialect), moments


def any_of(dialect: str, column: sa.Column[Any], parameter: str) -> sa.ColumnElement[bool]:
    """The condition that ``column`` is one of the list passed as ``parameter``.

    For statements that are built once. On PostgreSQL the list is one array, so that the statement
    reads the same, and stays prepared, however long it is.
    """
    if dialect == "postgresql":
        item = sa.Text() if isinstance(column.type, sa.String) else column.type
        return column == sa.any_(sa.bindparam(parameter, type_=postgresql.ARRAY(item)))
    return column.in_(sa.bindparam(parameter, expanding=True))


def _packed(
    table: sa.Table, columns: tuple[str, ...], rows: Sequence[Row]
) -> tuple[tuple[bool, ...], list[Any]]:
    """Of each column, whether all rows share its value; and the values: what is shared once, then
    the others as lists. The last column of several rows is always a list: it says how many they
    are, and in an update which they are."""
    lists = [[row[name] for row in rows] for name in columns]
    alone = len(rows) == 1
    shared = tuple(
        column.count(column[0]) == len(rows) and (alone or name != columns[-1])
        for name, column in zip(columns, lists, strict=True)
    )
    once: list[Any] = []
    arrays: list[Any] = []
    converts = _converts("postgresql", table, columns)
    for column, is_shared, convert in zip(lists, shared, converts, strict=True):
        if is_shared:
            once.append(column[0] if convert is None else convert(column[0]))
        else:
            arrays.append(column if convert is None else [convert(value) for value in column])
    return shared, once + arrays


def _execute(tx: Tx, sql: str, values: Sequence[Any]) -> None:
    with _driver_of(tx).cursor() as cursor:
        cursor.execute(sql, values, prepare=True)


def _execute_each(
    tx: Tx, table: sa.Table, columns: tuple[str, ...], rows: Sequence[Row], sql: str
) -> None:
    converts = _converts("sqlite", table, columns)
    values = [
        [
            row[name] if convert is None else convert(row[name])
            for name, convert in zip(columns, converts, strict=True)
        ]
        for row in rows
    ]
    with closing(_driver_of(tx).cursor()) as cursor:
        cursor.executemany(sql, values)


def _driver_of(tx: Tx) -> Any:
    return cast("Any", tx.connection.connection.driver_connection)


@lru_cache(maxsize=256)
def _insert_sql(table: sa.Table, columns: tuple[str, ...], on_conflict: str) -> str:
    marks = ", ".join("?" for _ in columns)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks}) {on_conflict}"  # noqa: S608 - names are the tables' own


@lru_cache(maxsize=256)
def _insert_one_sql(
    table: sa.Table,
    columns: tuple[str, ...],
    on_conflict: str,
    returning: str,
    on_postgresql: bool,
) -> str:
    marks = [f"%b::{_type(table.c[name])}" if on_postgresql else "?" for name in columns]
    values = f"({', '.join(columns)}) VALUES ({', '.join(marks)})"
    return f"INSERT INTO {table.name} {values} {on_conflict} RETURNING {returning}"


@lru_cache(maxsize=256)
def _update_sql(table: sa.Table, columns: tuple[str, ...]) -> str:
    *changed, key = columns
    sets = ", ".join(f"{name} = ?" for name in changed)
    return f"UPDATE {table.name} SET {sets} WHERE {key} = ?"  # noqa: S608 - as above


@lru_cache(maxsize=1024)
def _insert_packed_sql(
    table: sa.Table, columns: tuple[str, ...], shared: tuple[bool, ...], on_conflict: str
) -> str:
    values = ", ".join(_sources(table, columns, shared))
    source = _unnest(table, columns, shared)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {values} {source} {on_conflict}"


@lru_cache(maxsize=1024)
def _update_packed_sql(table: sa.Table, columns: tuple[str, ...], shared: tuple[bool, ...]) -> str:
    *changed, key = zip(columns, _sources(table, columns, shared), strict=True)
    sets = ", ".join(f"{name} = {source}" for name, source in changed)
    where = f"{table.name}.{key[0]} = {key[1]}"
    return f"UPDATE {table.name} SET {sets} {_unnest(table, columns, shared)} WHERE {where}"  # noqa: S608 - as above


def _sources(table: sa.Table, columns: tuple[str, ...], shared: tuple[bool, ...]) -> list[str]:
    return [
        f"%b::{_type(table.c[name])}" if is_shared else f"many.{name}"
        for name, is_shared in zip(columns, shared, strict=True)
    ]


def _unnest(table: sa.Table, columns: tuple[str, ...], shared: tuple[bool, ...]) -> str:
    names = [name for name, is_shared in zip(columns, shared, strict=True) if not is_shared]
    if not names:
        return ""  # there is one row
    arrays = ", ".join(f"%b::{_type(table.c[name])}[]" for name in names)
    return f"FROM unnest({arrays}) AS many ({', '.join(names)})"


def _type(column: sa.Column[Any]) -> str:
    """As what a column's values travel. Text has no length there: a cast would cut it off
    without a word, where the column refuses it."""
    if isinstance(column.type, sa.String):
        return "text"
    return str(column.type.compile(dialect=_DIALECTS["postgresql"]))


@lru_cache(maxsize=256)
def _converts(
    dialect: str, table: sa.Table, columns: tuple[str, ...]
) -> tuple[_Convert | None, ...]:
    return tuple(_convert(dialect, table.c[name]) for name in columns)


def _convert(dialect: str, column: sa.Column[Any]) -> _Convert | None:
    kind = column.type.dialect_impl(_DIALECTS[dialect])
    if isinstance(kind, sa.JSON):
        return lambda value: None if value is None else json_text(value)
    if isinstance(kind, sa.TypeDecorator):
        return lambda value: kind.process_bind_param(value, _DIALECTS[dialect])
    if isinstance(kind, sa.Date) and dialect == "sqlite":
        return lambda value: None if value is None else value.isoformat()
    return None
