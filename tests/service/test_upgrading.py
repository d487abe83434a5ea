"""Tables of another version: who may work on them, and how they come to be beside a service."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from daozhang.service.db import Database
from daozhang.service.migrations import (
    DatabaseTooNew,
    Standing,
    revisions,
    standing,
    steps,
    upgrade,
)
from databases import database_url, run
from newer import later_version
from ports import free_port
from processes import command, environment, serving, status


def daozhang(directory: Path, *arguments: str) -> tuple[int, str]:
    """How a command ended, and what it said."""
    told = subprocess.run(
        command(*arguments),
        env=environment(directory, 1),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return told.returncode, told.stdout + told.stderr


def test_newer_tables_that_bear_us_are_worked_on(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))
    upgrade(database)
    upgrade(database, directory=later_version(tmp_path, bears_us=True))
    assert standing(database) is Standing.NEWER
    upgrade(database)  # the older version's own: nothing to do
    assert standing(database) is Standing.NEWER
    assert "later" in columns(database)
    assert "ix_orders_later" in {
        index["name"] for index in sa.inspect(database.engine).get_indexes("orders")
    }
    assert daozhang(tmp_path, "migrate")[0] == 0
    assert daozhang(tmp_path, "merchant", "list")[0] == 0
    port = free_port()
    with serving(tmp_path, port):
        assert status(port, "/readyz") == 200
    database.dispose()


def test_newer_tables_that_do_not_bear_us_are_refused(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))
    upgrade(database)
    port = free_port()
    with serving(tmp_path, port):
        upgrade(database, directory=later_version(tmp_path, bears_us=False))
        assert standing(database) is Standing.TOO_NEW
        assert status(port, "/readyz") == 503
    with pytest.raises(DatabaseTooNew):
        upgrade(database)
    for arguments in (("migrate",), ("serve", "--port", str(port)), ("merchant", "list")):
        code, said = daozhang(tmp_path, *arguments)
        assert code == 1, said
        assert "later version" in said
        assert "更新版本" in said
    database.dispose()


def test_older_tables_are_refused_until_they_are_migrated(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path, name="daozhang", migrated=False))
    upgrade(database, revisions()[-2])
    assert standing(database) is Standing.OLDER
    code, said = daozhang(tmp_path, "serve", "--port", str(free_port()))
    assert code == 1
    assert "daozhang migrate" in said
    assert daozhang(tmp_path, "migrate")[0] == 0
    assert standing(database) is Standing.CURRENT
    database.dispose()


@pytest.mark.skipif("config.getoption('--database') != 'postgresql'", reason="PostgreSQL's locks")
def test_a_migration_that_waits_for_a_long_reader_lets_others_pass(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))
    later = later_version(tmp_path, bears_us=True)
    # Its index is there: to make it would wait for the report, and hold nobody up.
    run(database, "CREATE INDEX ix_orders_later ON orders (subject)")
    slowest = 0.0
    with database.engine.connect() as report:
        report.execute(sa.text("LOCK TABLE orders IN ACCESS SHARE MODE"))
        migrating = threading.Thread(target=upgrade, args=(database,), kwargs={"directory": later})
        migrating.start()
        until = time.monotonic() + 3.5
        while time.monotonic() < until:
            began = time.monotonic()
            with database.begin() as tx:
                tx.execute(sa.text("UPDATE orders SET subject = subject"))
            slowest = max(slowest, time.monotonic() - began)
        assert migrating.is_alive(), "the report's lock held nobody up: nothing was tested"
    migrating.join(20)
    assert not migrating.is_alive()
    assert "later" in columns(database)
    assert 0.3 < slowest < steps.LOCK_SECONDS + 0.7
    database.dispose()


@pytest.mark.skipif("config.getoption('--database') != 'postgresql'", reason="PostgreSQL's own")
def test_an_index_that_was_broken_off_is_made_anew(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))
    run(database, "CREATE INDEX ix_orders_later ON orders (amount_minor)")
    run(
        database,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_orders_later'::regclass",
    )
    upgrade(database, directory=later_version(tmp_path, bears_us=True))
    found = {one["name"]: one for one in sa.inspect(database.engine).get_indexes("orders")}
    assert found["ix_orders_later"]["column_names"] == ["subject"]
    database.dispose()


def columns(database: Database) -> set[str]:
    """The columns of the orders."""
    return {column["name"] for column in sa.inspect(database.engine).get_columns("orders")}
