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
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from daozhang.service.db import Database
from databases import database_url, on_postgresql, the_server
from figures import note_figures
from processes import children, end, prepare, start, until
from receivers import Receiver, receiver
from signed_world import FORM, paid, signed
from worlds import free_port

SENDERS = 6
SECONDS_BETWEEN_KILLS = (0.1, 1.5)
STOPS = 10
SECONDS_BETWEEN_STOPS = (1, 5)


@dataclass
class Alipay:
    """Creates orders as the shop would, and notifies about each until it reads ``success``."""

    port: int
    key: str
    numbers: list[str] = field(default_factory=list[str])
    acknowledged: set[str] = field(default_factory=set[str])
    senders: list[threading.Thread] = field(default_factory=list[threading.Thread])
    _counter: itertools.count[int] = field(default_factory=itertools.count)
    _ending: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Begins to send, until `finish`."""
        self.senders = [threading.Thread(target=self._send, daemon=True) for _ in range(SENDERS)]
        for sender in self.senders:
            sender.start()

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
    processes = int(str(request.config.getoption("--processes"))) if on_postgresql() else 1
    with _serving(tmp_path, processes) as deployment:
        for _ in range(kills):
            time.sleep(random.uniform(*SECONDS_BETWEEN_KILLS))
            deployment.kill()
        orders = deployment.come_to_rest()
    note_figures(
        "kills at random moments under load",
        {
            "database": "postgresql" if on_postgresql() else "sqlite",
            "processes": processes,
            "kills": kills,
            "orders": orders,
            "lost": 0,
            "booked twice": 0,
        },
    )
    print(f"\nkilled {kills} times: {orders} orders, lost 0, booked twice 0")


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_postgresql_stops_and_starts_and_nothing_is_lost(tmp_path: Path) -> None:
    if not on_postgresql():
        pytest.skip("there is no server to stop")
    server = the_server()
    with _serving(tmp_path, 2) as deployment:
        for number in range(STOPS):
            time.sleep(random.uniform(*SECONDS_BETWEEN_STOPS))
            server.stop(immediately=number % 2 == 0)
            time.sleep(random.uniform(0.1, 2))
            server.start()
        orders = deployment.come_to_rest()
    figures = {"stops": STOPS, "orders": orders, "lost": 0, "booked twice": 0}
    note_figures("PostgreSQL stopped and started under load", figures)


@dataclass
class Deployment:
    """The service in processes under load, and one receiver that hears of everything."""

    directory: Path
    alipay: Alipay
    hook: Receiver
    processes: int
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        several = ("--workers", str(self.processes)) if self.processes > 1 else ()
        self.process = start(self.directory, self.alipay.port, *several)

    def kill(self) -> None:
        """Kills one of several processes, which is replaced, or the only one, and starts another.

        The server gives up when the same one dies twice within seconds; then it is started again,
        as systemd would.
        """
        if self.processes > 1 and self.process.poll() is None:
            alive = children(self.process.pid)
            if alive:
                os.kill(random.choice(sorted(alive)), signal.SIGKILL)
                return
        end(self.process)
        self.start()

    def come_to_rest(self) -> int:
        """Ends the load, compares the books and what was heard; how many orders there are."""
        time.sleep(1)
        self.alipay.finish()
        deadline = time.monotonic() + 60
        while any(sender.is_alive() for sender in self.alipay.senders):
            assert time.monotonic() < deadline, "somebody is never answered"
            if self.process.poll() is not None:
                self.start()
            time.sleep(0.05)
        _check_books(self.directory, self.alipay)
        _check_webhooks(self.alipay, self.hook)
        return len(self.alipay.numbers)


@contextmanager
def _serving(directory: Path, processes: int) -> Generator[Deployment]:
    port = free_port()
    alipay = Alipay(port, prepare(directory, port))
    with receiver() as hook:
        deployment = Deployment(directory, alipay, hook, processes)
        deployment.start()
        try:
            _add_endpoint(alipay, hook)
            alipay.run()
            yield deployment
        finally:
            end(deployment.process)


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
