"""`daozhang worker`: what is due is done by a process that serves nobody."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import time
from pathlib import Path

import httpx2
import pytest

from daozhang.clock import SystemClock
from daozhang.service.db import Database
from daozhang.service.outbox.actions import append_event
from databases import database_url, on_postgresql
from ports import free_port
from processes import command, end, environment, prepare, serving, start, until
from receivers import receiver

STOPPED_SECONDS_MAX = 15

_numbers = itertools.count()


def work(directory: Path) -> subprocess.Popen[bytes]:
    """Starts a worker, and waits until it says that it works."""
    log = directory / f"worker-{next(_numbers)}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command("worker"),
            env=environment(directory, 1),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    until(lambda: b"works" in log.read_bytes() or process.poll() is not None)
    assert process.poll() is None, log.read_text()
    return process


def test_a_worker_delivers_what_was_left_and_leaves_in_time(tmp_path: Path) -> None:
    port = free_port()
    own = {"Authorization": f"Bearer {prepare(tmp_path, port)}"}
    with receiver() as hook:
        with serving(tmp_path, port):
            url = f"http://127.0.0.1:{port}/v1/webhook_endpoints"
            body = {"url": hook.url}
            added = httpx2.post(url, json=body, headers=own, trust_env=False, verify=False)
            assert added.status_code == 201, added.text
        database = Database(database_url(tmp_path))
        with database.begin() as tx:
            event = append_event(
                tx,
                merchant_id=1,
                environment="emulator",
                order_id=None,
                type="order.paid",
                data={},
                now=SystemClock().now(),
            )
        database.dispose()
        worker = work(tmp_path)
        try:
            until(lambda: len(hook.got) == 1)
            assert json.loads(hook.got[0].body)["id"] == event.id
            began = time.monotonic()
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(STOPPED_SECONDS_MAX) == 0
            assert time.monotonic() - began < STOPPED_SECONDS_MAX
        finally:
            end(worker)


def test_on_sqlite_nobody_works_beside_it(tmp_path: Path) -> None:
    if on_postgresql():
        pytest.skip("SQLite's own rule")
    prepare(tmp_path, free_port())
    worker = work(tmp_path)
    try:
        refused = subprocess.run(
            command("serve", "--port", str(free_port())),
            env=environment(tmp_path, 1),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert refused.returncode == 1
        assert str(worker.pid) in refused.stderr
    finally:
        end(worker)


def test_on_postgresql_workers_work_beside_those_that_serve(tmp_path: Path) -> None:
    if not on_postgresql():
        pytest.skip("needs PostgreSQL")
    port = free_port()
    prepare(tmp_path, port)
    process = start(tmp_path, port)
    workers = [work(tmp_path), work(tmp_path)]
    try:
        for one in workers:
            one.send_signal(signal.SIGTERM)
        assert [one.wait(STOPPED_SECONDS_MAX) for one in workers] == [0, 0]
        assert process.poll() is None
    finally:
        for one in [process, *workers]:
            end(one)
