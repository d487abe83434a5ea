"""Deaths: processes are killed at any moment under load, and afterwards nothing is lost or double.

The short form runs with all tests; ``make chaos`` kills 200 times. Alipay is played as it is:
it sends a notification again until it reads ``success``.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from daozhang.service.db import Database
from databases import database_url, on_postgresql
from processes import children, end, prepare, start, until
from receivers import Receiver, receiver
from signed_world import FORM, paid, signed
from worlds import free_port

SENDERS = 6
SECONDS_BETWEEN_KILLS = (0.1, 1.5)


@dataclass
class Alipay:
    """Creates orders as the shop would, and notifies about each until it reads ``success``."""

    port: int
    key: str
    numbers: list[str] = field(default_factory=list[str])
    acknowledged: set[str] = field(default_factory=set[str])
    _counter: itertools.count[int] = field(default_factory=itertools.count)
    _ending: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> list[threading.Thread]:
        """Senders, until `finish`."""
        threads = [threading.Thread(target=self._send, daemon=True) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        return threads

    def finish(self) -> None:
        """No new orders; what has begun is brought to its end."""
        self._ending.set()

    def _send(self) -> None:
        own = {"Authorization": f"Bearer {self.key}"}
        base = f"http://127.0.0.1:{self.port}"
        with httpx2.Client(base_url=base, trust_env=False, timeout=5, headers=own) as client:
            while not self._ending.is_set():
                number = f"D-{next(self._counter)}"
                body = {"out_trade_no": number, "amount": "88.88", "subject": "Tea"}
                while not self._answers(client, "/v1/orders", json=body):
                    time.sleep(0.05)
                with self._lock:
                    self.numbers.append(number)
                for notice in (paid(number), paid(number, notify_id=f"again-{number}")):
                    while not self._answers(
                        client,
                        "/alipay/notify/shop",
                        content=signed(notice),
                        headers={"Content-Type": FORM},
                    ):
                        time.sleep(0.05)
                    with self._lock:
                        self.acknowledged.add(number)

    def _answers(self, client: httpx2.Client, path: str, **request: Any) -> bool:
        try:
            answer = client.post(path, **request)
        except httpx2.HTTPError:
            return False
        if path.startswith("/v1/"):
            return answer.status_code in (200, 201)
        return answer.content == b"success"


def test_whoever_is_killed_nothing_is_lost_and_nothing_is_booked_twice(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    kills = int(str(request.config.getoption("--kills")))
    port = free_port()
    alipay = Alipay(port, prepare(tmp_path, port))
    workers = ("--workers", "2") if on_postgresql() else ()
    process = start(tmp_path, port, *workers)
    try:
        with receiver() as hook:
            _add_endpoint(alipay, hook)
            senders = alipay.run()
            for _ in range(kills):
                time.sleep(random.uniform(*SECONDS_BETWEEN_KILLS))
                process = _kill(process, tmp_path, port, workers)
            time.sleep(1)
            alipay.finish()
            deadline = time.monotonic() + 60
            while any(sender.is_alive() for sender in senders):
                assert time.monotonic() < deadline, "somebody is never answered"
                if process.poll() is not None:
                    process = start(tmp_path, port, *workers)
                time.sleep(0.05)
            _check_books(tmp_path, alipay)
            _check_webhooks(alipay, hook)
    finally:
        end(process)
    print(f"\nkilled {kills} times: {len(alipay.numbers)} orders, lost 0, booked twice 0")


def _kill(
    process: subprocess.Popen[bytes], directory: Path, port: int, workers: tuple[str, ...]
) -> subprocess.Popen[bytes]:
    """Kills one of several processes, which is replaced, or the only one, and starts another.

    The server gives up when the same one dies twice within seconds; then it is started again, as
    systemd would.
    """
    if workers and process.poll() is None:
        alive = children(process.pid)
        if alive:
            os.kill(random.choice(sorted(alive)), signal.SIGKILL)
            return process
    end(process)
    return start(directory, port, *workers)


def _add_endpoint(alipay: Alipay, hook: Receiver) -> None:
    added = httpx2.post(
        f"http://127.0.0.1:{alipay.port}/v1/webhook_endpoints",
        json={"url": hook.url},
        headers={"Authorization": f"Bearer {alipay.key}"},
        trust_env=False,
    )
    assert added.status_code == 201, added.text


def _check_books(directory: Path, alipay: Alipay) -> None:
    """Every acknowledged payment is booked, once."""
    assert alipay.acknowledged == set(alipay.numbers)
    database = Database(database_url(directory))

    def told(statement: str) -> list[tuple[object, ...]]:
        with database.read() as tx:
            return [tuple(row) for row in tx.execute(sa.text(statement))]

    open_rows = "SELECT count(*) FROM inbox_notifications WHERE status <> 'applied'"
    until(lambda: told(open_rows) == [(0,)], 90)
    statuses = told("SELECT status, count(*) FROM orders GROUP BY status")
    assert statuses == [("paid", len(alipay.numbers))]
    events = told("SELECT type, count(*), count(DISTINCT order_id) FROM events GROUP BY type")
    assert events == [("order.paid", len(alipay.numbers), len(alipay.numbers))]
    assert told("SELECT count(*) FROM surprises") == [(0,)]
    database.dispose()


def _check_webhooks(alipay: Alipay, hook: Receiver) -> None:
    """Every event has arrived, under one id however often, in order for each order."""
    until(lambda: len(_heard(hook)) == len(alipay.numbers), 90)
    sequences: defaultdict[str, list[int]] = defaultdict(list)
    for event in _events(hook):
        sequences[event["data"]["order"]["out_trade_no"]].append(event["sequence"])
    assert all(heard == sorted(heard) for heard in sequences.values())
    ids = Counter(event["id"] for event in _events(hook))
    assert len(ids) == len(alipay.numbers)


def _events(hook: Receiver) -> list[dict[str, Any]]:
    return [json.loads(got.body) for got in list(hook.got)]


def _heard(hook: Receiver) -> set[str]:
    return {str(event["data"]["order"]["out_trade_no"]) for event in _events(hook)}
