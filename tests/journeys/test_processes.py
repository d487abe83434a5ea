"""Real processes: readiness, several on one port, one that is killed, and all told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from daozhang.app import create_context
from daozhang.service.db import Database
from daozhang.service.migrations import upgrade
from daozhang.service.settings import load_settings
from databases import database_url, run
from deployment import SELLER_ID, new_app
from signed_world import FORM, paid, signed
from worlds import free_port, register

WAIT_SECONDS = 30


def until(true: Callable[[], bool]) -> None:
    """Waits until ``true`` says so."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def environment(directory: Path, port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "DAOZHANG_DATA_DIR": str(directory),
        "DAOZHANG_DATABASE_URL": database_url(directory),
        "DAOZHANG_ENVIRONMENTS": "emulator",
        "DAOZHANG_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }


def command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).parent / "daozhang"), *arguments]


@contextmanager
def serving(directory: Path, port: int, *arguments: str) -> Generator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command("serve", "--port", str(port), *arguments),
        env=environment(directory, port),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with process:
        try:
            until(lambda: _status(port, "/readyz") == 200)
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _status(port: int, path: str) -> int | None:
    try:
        answer = httpx2.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=5)
    except httpx2.HTTPError:
        return None
    return answer.status_code


def children(pid: int) -> set[int]:
    """The processes that ``pid`` has started."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return {int(number) for number in path.read_text().split()}


def prepare(directory: Path, port: int) -> str:
    """A migrated deployment with a merchant; its API key."""
    settings = load_settings(environment(directory, port))
    context = create_context(settings)
    upgrade(context.database)
    key = register(context, new_app(), seller_id=SELLER_ID)
    context.database.dispose()
    return key


def test_told_to_stop_it_stops_and_what_was_acknowledged_is_booked(tmp_path: Path) -> None:
    port = free_port()
    key = prepare(tmp_path, port)
    with serving(tmp_path, port) as process:
        assert _status(port, "/healthz") == 200
        _order_and_pay(port, key, "A-1")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    with serving(tmp_path, port):
        own = {"Authorization": f"Bearer {key}"}
        told = httpx2.get(f"http://127.0.0.1:{port}/v1/orders/A-1", headers=own, trust_env=False)
        assert told.json()["status"] == "paid"


def _order_and_pay(port: int, key: str, number: str) -> None:
    base = f"http://127.0.0.1:{port}"
    own = {"Authorization": f"Bearer {key}"}
    body = {"out_trade_no": number, "amount": "88.88", "subject": "Tea"}
    created = httpx2.post(f"{base}/v1/orders", json=body, headers=own, trust_env=False)
    assert created.status_code == 201, created.text
    told = httpx2.post(
        f"{base}/alipay/notify/shop",
        content=signed(paid(number)),
        headers={"Content-Type": FORM},
        trust_env=False,
    )
    assert told.content == b"success"


@pytest.mark.skipif("config.getoption('--database') == 'postgresql'", reason="SQLite's own rule")
def test_more_than_one_process_on_sqlite_is_refused_with_a_sentence(tmp_path: Path) -> None:
    port = free_port()
    prepare(tmp_path, port)
    told = subprocess.run(
        command("serve", "--workers", "2"),
        env=environment(tmp_path, port),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 1
    assert "2 processes need PostgreSQL" in told.stderr
    assert "SQLite 只能由一个进程使用" in told.stderr


@pytest.mark.skipif("config.getoption('--database') != 'postgresql'", reason="needs PostgreSQL")
def test_a_killed_process_is_replaced_and_payments_go_on(tmp_path: Path) -> None:
    port = free_port()
    key = prepare(tmp_path, port)
    with serving(tmp_path, port, "--workers", "2") as process:
        until(lambda: len(children(process.pid)) >= 2)
        before = children(process.pid)
        victim = max(before)
        os.kill(victim, signal.SIGKILL)
        until(lambda: victim not in children(process.pid) and len(children(process.pid)) >= 2)
        until(lambda: _status(port, "/readyz") == 200)
        for number in range(8):
            _order_and_pay(port, key, f"A-{number}")
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def test_not_ready_says_what_to_do(tmp_path: Path) -> None:
    port = free_port()
    prepare(tmp_path, port)
    with serving(tmp_path, port):
        database = Database(database_url(tmp_path))
        run(database, "UPDATE alembic_version SET version_num = '0001'")
        answer = httpx2.get(f"http://127.0.0.1:{port}/readyz", trust_env=False)
        assert answer.status_code == 503
        assert "daozhang migrate" in answer.json()["problems"]["database"]
        database.dispose()
