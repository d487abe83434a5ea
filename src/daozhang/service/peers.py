"""Peers: which processes of a service live, on PostgreSQL.

Each process holds an advisory lock under its own name, on a connection of its own. PostgreSQL
gives the lock up when that connection ends, however it ends; so whoever can take a name's lock
knows that its process is dead, or cut off and about to stop itself. SQLite has one process, which
has no peers.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from daozhang.service.db import Database

_TAKE: Final = sa.text("SELECT pg_try_advisory_lock(:key)")
_GIVE: Final = sa.text("SELECT pg_advisory_unlock(:key)")


class NameTaken(RuntimeError):
    """Another process lives under this name."""


class Presence:
    """One process's own lock, and its way to ask about others. Thread-safe."""

    def __init__(self, database: Database, name: str) -> None:
        """Takes the lock of ``name``; raises `NameTaken`."""
        self._guard = threading.Lock()
        engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._connection = engine.connect()
        # It leaves the pool: nobody else may ever be handed the connection that holds the lock.
        self._connection.detach()
        if not self._take(name):
            self._connection.close()
            raise NameTaken(f"A process called {name} lives already.")

    def is_held(self) -> bool:
        """Whether the lock is still ours: its connection answers."""
        try:
            with self._guard:
                self._connection.execute(sa.text("SELECT 1"))
        except SQLAlchemyError:
            return False
        return True

    def if_dead(self, name: str, action: Callable[[], None]) -> bool:
        """Runs ``action`` if the process called ``name`` is dead; whether it was.

        The name's lock is held meanwhile, so only one peer takes over.
        """
        with self._guard:
            if not self._take(name):
                return False
            try:
                action()
            finally:
                self._connection.execute(_GIVE, {"key": _key(name)})
        return True

    def leave(self) -> None:
        """Gives the lock up: peers may take over what is left."""
        with self._guard:
            self._connection.close()

    def _take(self, name: str) -> bool:
        return bool(self._connection.execute(_TAKE, {"key": _key(name)}).scalar_one())


def _key(name: str) -> int:
    """The number under which PostgreSQL locks a name: 64 bits, signed."""
    digest = hashlib.sha256(f"daozhang worker {name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def own_name(database: Database) -> str:
    """What this process is called: whose unfinished jobs it takes up again at its start.

    SQLite belongs to one process, which is always the same one. On PostgreSQL each start is a
    name of its own, and what a dead one has begun is taken over by its peers.
    """
    if database.dialect == "sqlite":
        return "daozhang"
    return f"{socket.gethostname()}-{os.getpid()}-{time.time_ns()}"
