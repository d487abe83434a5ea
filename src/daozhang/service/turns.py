"""Turns: long work of which one piece runs at a time, over all processes, outside any transaction.

On PostgreSQL a turn is an advisory lock on a connection of its own, on SQLite a locked file beside the
database. Both are given up when their process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from daozhang.service.db import Database

SUFFIX: Final = ".turns"

_WAIT: Final = sa.text("SELECT pg_advisory_lock(:key)")


@contextmanager
def turn(database: Database, name: str) -> Generator[None]:
    """Waits until nobody else has the turn ``name``, in any process or thread, and has it meanwhile.

    Never taken within a transaction, nor twice by one thread. On SQLite all names share one turn: it
    writes one thing at a time anyway.
    """
    path = database.engine.url.database
    if database.dialect == "sqlite" and path:
        with _turn_of_file(Path(path)):
            yield
    else:
        with _turn_of_connection(database, name):
            yield


@contextmanager
def _turn_of_file(database: Path) -> Generator[None]:
    # Opened anew each time: two threads of one process must exclude each other, too.
    descriptor = os.open(database.with_name(database.name + SUFFIX), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _turn_of_connection(database: Database, name: str) -> Generator[None]:
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        # It leaves the pool: who waits here takes no connection from those who do not, and closing
        # it gives the lock up.
        connection.detach()
        connection.execute(_WAIT, {"key": _key(name)})
        yield


def _key(name: str) -> int:
    """The number under which PostgreSQL locks a name: 64 bits, signed."""
    digest = hashlib.sha256(f"daozhang turn {name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
