"""Steps: how one revision is carried out beside a service that goes on working.

On PostgreSQL a statement that waits for a lock makes everybody wait who comes after it. So it waits
for a second at most, then lets all pass and tries again. Each revision is a transaction of its own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from daozhang.service.db import Database
from daozhang.service.refusals import Refusal

LOCK_SECONDS: Final = 1.0
"""The longest that a statement waits for a lock, and others behind it."""

PAUSE_SECONDS: Final = 1.0
"""How long all others may pass before it is tried again."""

PATIENCE_SECONDS: Final = 300.0
"""After this without the lock the migration gives up."""

_MIGRATING: Final = 0x64616F7A68616E67
"""The advisory lock of whoever migrates: two at a time would do everything twice."""

_LOCK_NOT_AVAILABLE: Final = "55P03"
_DEADLOCK: Final = "40P01"
_INDEX: Final = re.compile(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (\w+) ON", re.I)


class TablesBusy(Refusal):
    """A table was in use without a pause, so that it could not be changed."""

    code = "tables_busy"
    title = "A table is in use"

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"Revision {revision} did not get the lock of a table within {PATIENCE_SECONDS:.0f} s "
            "and has changed nothing. Something holds the table in a long transaction (a report, "
            "pg_dump): see pg_stat_activity, let it end, and run daozhang migrate again.",
            f"版本 {revision} 在 {PATIENCE_SECONDS:.0f} 秒内未获得表锁, 未做任何修改. 有长事务占用该表"
            "(报表, pg_dump 等): 请查看 pg_stat_activity, 待其结束后重新运行 daozhang migrate.",
            revision=revision,
        )


def carry_out(
    database: Database,
    revision: str,
    change: Callable[[sa.Connection], None],
    beside: Iterable[str] = (),
) -> None:
    """Runs ``change`` in one transaction, again and again until it gets its locks.

    ``beside``: indexes that PostgreSQL makes first, outside any transaction, while all others read
    and write. ``change`` must do nothing if somebody else has done it meanwhile. Raises `TablesBusy`.
    """
    if database.dialect != "postgresql":
        with database.begin() as tx:
            change(tx.connection)
        return
    for statement in beside:
        _make_index(database, statement)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with database.begin() as tx:
                tx.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
                milliseconds = int(LOCK_SECONDS * 1000)
                tx.execute(sa.text(f"SET LOCAL lock_timeout = {milliseconds}"))
                change(tx.connection)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in (_LOCK_NOT_AVAILABLE, _DEADLOCK):
                raise
            if time.monotonic() >= deadline:
                raise TablesBusy(revision) from error
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _make_index(database: Database, statement: str) -> None:
    """Makes an index while others write; one that was broken off before is made anew."""
    named = _INDEX.match(" ".join(statement.split()))
    if named is None:
        raise ValueError(f"not CREATE INDEX CONCURRENTLY IF NOT EXISTS name ON ...: {statement}")
    engine = cast("Any", database.engine).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        invalid = sa.text(
            "SELECT 1 FROM pg_index WHERE NOT indisvalid AND indexrelid = to_regclass(:name)"
        )
        if connection.execute(invalid, {"name": named[1]}).first() is not None:
            connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY {named[1]}")
        connection.exec_driver_sql(statement)
