"""Real processes: readiness, several on one port, one that is killed, and all told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import httpx2
import pytest

from daozhang.service.db import Database
from databases import database_url, run
from ports import free_port
from processes import children, command, environment, prepare, serving, status, until
from signed_world import FORM, paid, signed


def test_told_to_stop_it_stops_and_what_was_acknowledged_is_booked(tmp_path: Path) -> None:
    port = free_port()
    key = prepare(tmp_path, port)
    with serving(tmp_path, port) as process:
        assert status(port, "/healthz") == 200
        order_and_pay(port, key, "A-1")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    with serving(tmp_path, port):
        own = {"Authorization": f"Bearer {key}"}
        told = httpx2.get(
            f"http://127.0.0.1:{port}/v1/orders/A-1", headers=own, trust_env=False, verify=False
        )
        assert told.json()["status"] == "paid"


def order_and_pay(port: int, key: str, number: str) -> None:
    """An order is created and Alipay says that it is paid."""
    base = f"http://127.0.0.1:{port}"
    own = {"Authorization": f"Bearer {key}"}
    body = {"out_trade_no": number, "amount": "88.88", "subject": "Tea"}
    created = httpx2.post(
        f"{base}/v1/orders", json=body, headers=own, trust_env=False, verify=False
    )
    assert created.status_code == 201, created.text
    told = httpx2.post(
        f"{base}/alipay/notify/shop",
        content=signed(paid(number)),
        headers={"Content-Type": FORM},
        trust_env=False,
        verify=False,
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
        until(lambda: status(port, "/readyz") == 200)
        for number in range(8):
            order_and_pay(port, key, f"A-{number}")
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def test_not_ready_says_what_to_do(tmp_path: Path) -> None:
    port = free_port()
    prepare(tmp_path, port)
    with serving(tmp_path, port):
        database = Database(database_url(tmp_path))
        run(database, "UPDATE alembic_version SET version_num = '0001'")
        answer = httpx2.get(f"http://127.0.0.1:{port}/readyz", trust_env=False, verify=False)
        assert answer.status_code == 503
        assert "daozhang migrate" in answer.json()["problems"]["database"]
        database.dispose()
