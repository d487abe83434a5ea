"""Sole: the one process that works on a SQLite file, held by a lock beside it.

The kernel gives the lock up when its process ends, however it ends; so a file that names a dead
process stops nobody. Commands that only read or administrate take no lock: SQLite lets them. On
PostgreSQL processes have names instead (`peers`).
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import time
from pathlib import Path
from typing import Final

from daozhang.service.db import Database
from daozhang.service.refusals import Refusal

SUFFIX: Final = ".lock"

PATIENCE_SECONDS: Final = 1.0
"""How long the lock is tried for: one that is only being looked at is free again by then."""

_PAUSE_SECONDS: Final = 0.05


class DatabaseHeld(Refusal):
    """Another process works on this SQLite file."""

    code = "database_held"
    title = "Another process works on the database"

    def __init__(self, database: Path, holder: str) -> None:
        super().__init__(
            f"Process {holder} works on {database}, and SQLite belongs to one process: stop that "
            "one first, or use PostgreSQL (DAOZHANG_DATABASE_URL) for several.",
            f"进程 {holder} 正在使用 {database}, SQLite 只能由一个进程使用: 请先停止该进程, "
            "多进程请使用 PostgreSQL (DAOZHANG_DATABASE_URL).",
            holder=holder,
        )


class Sole:
    """The lock of one database. Does nothing on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Takes nothing yet."""
        path = database.engine.url.database
        self._path = Path(path) if database.dialect == "sqlite" and path else None
        self._descriptor: int | None = None

    def take(self) -> None:
        """Takes the lock until `leave`, or the end of the process. Raises `DatabaseHeld`."""
        if self._path is None or self._descriptor is not None:
            return
        place = self._path.with_name(self._path.name + SUFFIX)
        # Never removed: whoever holds a removed file and whoever makes a new one both have a lock.
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked(descriptor):
            holder = os.pread(descriptor, 200, 0).decode() or "?"
            os.close(descriptor)
            raise DatabaseHeld(self._path, holder)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, _own_name().encode(), 0)
        self._descriptor = descriptor

    def leave(self) -> None:
        """Gives the lock up. Safe to call twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def require_sole(database: Database) -> None:
    """Raises `DatabaseHeld` if a process works on ``database`` already; for a word in time, before
    a server starts processes that would each be refused."""
    sole = Sole(database)
    sole.take()
    sole.leave()


def _locked(descriptor: int) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
        else:
            return True


def _own_name() -> str:
    """Our number, and of who would start us again if only we were stopped."""
    parent = multiprocessing.parent_process()
    own = str(os.getpid())
    return own if parent is None else f"{own} (of {parent.pid})"
