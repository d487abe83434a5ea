"""Which database a run of the tests is on: ``pytest --database sqlite`` or ``postgresql``.

Everything that opens a service asks `database_url`; each directory gets a copy of a migrated
template. PostgreSQL's are dropped when their module of tests is through.
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from daozhang.service.db import Database
from daozhang.service.jobs import Jobs
from daozhang.service.migrations import upgrade
from postgres import PostgresServer

EMPTY = "template1"
MIGRATED = "migrated"

_numbers = itertools.count()
_server: PostgresServer | None = None
_made: dict[tuple[Path, str], str] = {}


def use(server: PostgresServer | None) -> None:
    """Puts this process's tests on ``server``, or on SQLite."""
    global _server
    _server = server


def migrate_template(server: PostgresServer) -> None:
    """Makes the database that all tests get a copy of."""
    _fill(server.create_database(MIGRATED))


@cache
def _migrated_file() -> Path:
    """SQLite's, made once in each process: to migrate an empty file takes half a second."""
    directory = Path(tempfile.mkdtemp(prefix="daozhang-template-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    _fill(f"sqlite:///{directory / MIGRATED}")
    return directory / MIGRATED


def _fill(url: str) -> None:
    database = Database(url)
    upgrade(database)
    Jobs(database).prepare()
    database.dispose()


def the_server() -> PostgresServer:
    """The server of this run, to stop and start it: only where nobody else is on it."""
    assert _server is not None
    return _server


def on_postgresql() -> bool:
    """Whether this run is on PostgreSQL."""
    return _server is not None


def database_url(directory: Path, *, name: str = "daozhang", migrated: bool = True) -> str:
    """The address of the database called ``name`` of whoever lives in ``directory``: the same
    one each time."""
    if _server is None:
        file = directory / f"{name}.sqlite3"
        if migrated and not file.exists():
            directory.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(_migrated_file(), file)
        return f"sqlite:///{file}"
    key = (directory, name)
    if key not in _made:
        own = f"test_{os.getpid()}_{next(_numbers)}"
        _server.create_database(own, MIGRATED if migrated else EMPTY)
        _made[key] = own
    return _server.url(_made[key])


def drop_all() -> None:
    """Drops what the tests so far have made."""
    if _server is not None:
        for own in _made.values():
            _server.drop_database(own)
    _made.clear()


def everything_in(directory: Path) -> bytes:
    """Every value in the PostgreSQL databases of ``directory``; SQLite's are files there."""
    values: list[bytes] = []
    for owner, name in list(_made):
        if owner == directory:
            database = Database(database_url(directory, name=name))
            tables = sa.inspect(database.engine).get_table_names()
            with database.read() as tx:
                rows = [row for table in tables for row in tx.execute(sa.text(f"TABLE {table}"))]
            values += [v if isinstance(v, bytes) else str(v).encode() for row in rows for v in row]
            database.dispose()
    return b"\n".join(values)


@contextmanager
def refusing(database: Database, event: str, table: str, when: str = "") -> Generator[None]:
    """While the block runs, the database refuses every ``event`` ("INSERT", "UPDATE") on
    ``table`` for which ``when``, an SQL condition on NEW, is true."""
    if database.dialect == "postgresql":
        condition = f"WHEN ({when})" if when else ""
        make = [
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql"
            " AS $$BEGIN RAISE EXCEPTION 'this row is damaged'; END$$",
            f"CREATE TRIGGER refuse BEFORE {event} ON {table} FOR EACH ROW {condition}"
            " EXECUTE FUNCTION refuse()",
        ]
        drop = [f"DROP TRIGGER refuse ON {table}", "DROP FUNCTION refuse"]
    else:
        condition = f"WHEN {when}" if when else ""
        make = [
            f"CREATE TRIGGER refuse BEFORE {event} ON {table} {condition}"
            " BEGIN SELECT RAISE(ABORT, 'this row is damaged'); END"
        ]
        drop = ["DROP TRIGGER refuse"]
    run(database, *make)
    try:
        yield
    finally:
        run(database, *drop)


def run(database: Database, *statements: str) -> None:
    """Runs statements behind the service's back, in one transaction."""
    with database.begin() as tx:
        for statement in statements:
            tx.execute(sa.text(statement))
