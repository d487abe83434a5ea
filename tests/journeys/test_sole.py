"""One process works on a SQLite file: a second is refused, a killed one holds nothing."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from ports import free_port
from processes import command, end, environment, prepare, serving, start, status, until

REFUSED_SECONDS = 20


def run(directory: Path, port: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command beside whatever runs; its answer."""
    return subprocess.run(
        command(*arguments),
        env=environment(directory, port),
        capture_output=True,
        text=True,
        timeout=REFUSED_SECONDS,
        check=False,
    )


@pytest.fixture
def only_sqlite(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--database") == "postgresql":
        pytest.skip("PostgreSQL takes several processes")


@pytest.mark.usefixtures("only_sqlite")
def test_a_second_process_is_refused_and_told_who_works(tmp_path: Path) -> None:
    port = free_port()
    prepare(tmp_path, port)
    with serving(tmp_path, port) as process:
        second = run(tmp_path, free_port(), "serve", "--port", str(free_port()))
        assert second.returncode == 1, second.stderr
        assert f"(of {process.pid})" in second.stderr
        assert "works on" in second.stderr
        assert "正在使用" in second.stderr
        assert status(port, "/readyz") == 200
        read = run(tmp_path, port, "app", "list", "--json")
        assert read.returncode == 0, read.stderr


@pytest.mark.usefixtures("only_sqlite")
def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    port = free_port()
    prepare(tmp_path, port)
    first = start(tmp_path, port)
    os.killpg(first.pid, signal.SIGKILL)
    end(first)
    until(lambda: status(port, "/readyz") is None)
    with serving(tmp_path, port):
        assert status(port, "/readyz") == 200
