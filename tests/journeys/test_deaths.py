"""Deaths: processes are killed at any moment under load, and afterwards nothing is lost or double.

Orders are created, paid and partly given back; some refunds get no answer. Alipay is the emulator,
and sends each payment until it reads ``success``. In the end our books are its ledger, to the fen,
and every event has arrived in the order of its order. The short form runs with all tests;
``make chaos`` kills 200 times.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from books import check_books
from daozhang.emulator.app import Emulator, create_emulator
from daozhang.emulator.notices import Occasion
from daozhang.service.db import Database
from databases import database_url, on_postgresql, the_server
from equality import differences, read_books, unheard
from figures import note_figures
from ports import free_port
from postgres import PostgresServer
from processes import children, end, prepare, start
from receivers import Receiver, receiver
from worlds import Server, app_of

CUSTOMERS = 6
ORDERS_FOR_A_REFUND = 3
SECONDS_BETWEEN_KILLS = (0.1, 1.5)
STOPS = 10
SECONDS_BETWEEN_STOPS = (1, 5)
REST_SECONDS_MAX = 300
"""Longer than a refund in doubt takes whose process died at the worst moment (120 s of lease)."""

REFUND = "alipay.trade.refund"


@dataclass
class Customers:
    """They order, pay and bring back, and whoever they ask is asked until somebody answers."""

    port: int
    key: str
    emulator: Emulator
    numbers: list[str] = field(default_factory=list[str])
    refunds: int = 0
    refusals: list[str] = field(default_factory=list[str])
    threads: list[threading.Thread] = field(default_factory=list[threading.Thread])
    _counter: itertools.count[int] = field(default_factory=itertools.count)
    _ending: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def come(self) -> None:
        """They begin, until `leave`."""
        self.threads = [threading.Thread(target=self._live, daemon=True) for _ in range(CUSTOMERS)]
        for thread in self.threads:
            thread.start()

    def leave(self) -> None:
        """No new orders; what has begun is brought to its end."""
        self._ending.set()

    def _live(self) -> None:
        own = {"Authorization": f"Bearer {self.key}"}
        base = f"http://127.0.0.1:{self.port}"
        with httpx2.Client(
            base_url=base, trust_env=False, verify=False, timeout=5, headers=own
        ) as client:
            while not self._ending.is_set():
                index = next(self._counter)
                number = f"D-{index}"
                self._buy(client, number)
                with self._lock:
                    self.numbers.append(number)
                if index % ORDERS_FOR_A_REFUND == 0:
                    self._bring_back(client, number, parts=1 + index % 2)

    def _buy(self, client: httpx2.Client, number: str) -> None:
        body = {"out_trade_no": number, "amount": "88.88", "subject": "明前龙井"}
        order = self._insist(client, "POST", "/v1/orders", json=body)
        self._insist(client, "GET", order.json()["pay_url"], follow_redirects=True)
        self.emulator.desk.pay(self.emulator.trade(number))
        # The emulator's own next attempt would come after four minutes: this is that one, early.
        [notice] = [
            each
            for each in self.emulator.desk.notifications(number)
            if each.occasion is Occasion.PAID
        ]
        while not self._hears(client, notice.url, self.emulator.desk.body_of(notice)):
            time.sleep(0.05)

    def _hears(self, client: httpx2.Client, url: str, body: bytes) -> bool:
        form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        try:
            return client.post(url, content=body, headers=form).content == b"success"
        except httpx2.HTTPError:
            return False

    def _bring_back(self, client: httpx2.Client, number: str, *, parts: int) -> None:
        # What is acknowledged is on the disk; the order may be told of it a moment later.
        while self._insist(client, "GET", f"/v1/orders/{number}").json()["status"] != "paid":
            time.sleep(0.05)
        for part in range(parts):
            body = {"amount": f"{11 * (part + 1)}.11", "out_request_no": f"{number}-R{part}"}
            self._insist(client, "POST", f"/v1/orders/{number}/refunds", json=body)
            with self._lock:
                self.refunds += 1

    def _insist(
        self, client: httpx2.Client, method: str, url: str, **request: Any
    ) -> httpx2.Response:
        while True:
            try:
                answer = client.request(method, url, **request)
            except httpx2.HTTPError:
                time.sleep(0.05)
                continue
            if answer.is_success:
                return answer
            if answer.status_code < 500:
                self.refusals.append(f"{url}: {answer.status_code} {answer.text}")
                raise AssertionError(self.refusals[-1])
            time.sleep(0.05)


def test_whoever_is_killed_nothing_is_lost_and_nothing_is_booked_twice(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    kills = int(str(request.config.getoption("--kills")))
    processes = int(str(request.config.getoption("--processes"))) if on_postgresql() else 1
    with _serving(tmp_path, processes) as deployment:
        for _ in range(kills):
            time.sleep(random.uniform(*SECONDS_BETWEEN_KILLS))
            deployment.kill()
        found = deployment.come_to_rest()
    database = "postgresql" if on_postgresql() else "sqlite"
    figures = {"database": database, "processes": processes, "kills": kills, **found}
    note_figures("kills at random moments under load", figures)
    print(f"\n{figures}")


@pytest.mark.chaos
@pytest.mark.timeout(1200)
def test_postgresql_stops_and_starts_and_nothing_is_lost(tmp_path: Path) -> None:
    if not on_postgresql():
        pytest.skip("there is no server to stop")
    with _safe_server() as server, _serving(tmp_path, 2) as deployment:
        for number in range(STOPS):
            time.sleep(random.uniform(*SECONDS_BETWEEN_STOPS))
            server.stop(immediately=number % 2 == 0)
            time.sleep(random.uniform(0.1, 2))
            server.start()
        found = deployment.come_to_rest()
    figures = {"stops": STOPS, "processes": 2, **found}
    note_figures("PostgreSQL stopped and started under load", figures)
    print(f"\n{figures}")


@contextmanager
def _safe_server() -> Generator[PostgresServer]:
    """The server of this run as it is in earnest: what is committed is on the disk."""
    server = the_server()
    server.stop()
    server.fsync = True
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.fsync = False
        server.start()


@dataclass
class Deployment:
    """The service in processes under load, and one receiver that hears of everything."""

    directory: Path
    customers: Customers
    hook: Receiver
    processes: int
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        several = ("--workers", str(self.processes)) if self.processes > 1 else ()
        self.process = start(self.directory, self.customers.port, *several)

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

    def come_to_rest(self) -> dict[str, int]:
        """Ends the load and compares all books; how much there was in them."""
        time.sleep(1)
        self.customers.leave()
        self._until_no(lambda: [each.name for each in self.customers.threads if each.is_alive()])
        assert self.customers.refusals == []
        assert len(self.customers.emulator.trades) == len(self.customers.numbers)
        self._until_no(self._differences)
        return {
            "orders": len(self.customers.numbers),
            "refunds": self.customers.refunds,
            "events": len({got.headers["webhook-id"] for got in self.hook.got}),
            "lost": 0,
            "booked twice": 0,
        }

    def _until_no(self, differences: Callable[[], list[str]]) -> None:
        deadline = time.monotonic() + REST_SECONDS_MAX
        while found := differences():
            assert time.monotonic() < deadline, (len(found), found[:20])
            if self.process.poll() is not None:
                self.start()
            time.sleep(0.5)

    def _differences(self) -> list[str]:
        """What our books say otherwise than the emulator's, and what nobody has heard of."""
        database = Database(database_url(self.directory))
        try:
            books = read_books(database)
            with database.read() as tx:
                left = tx.execute(sa.text(UNAPPLIED)).scalar_one()
                surprises = tx.execute(sa.text("SELECT count(*) FROM surprises")).scalar_one()
            silence = unheard(database, self.hook)
            check_books(database)
        finally:
            database.dispose()
        assert sorted(books) == sorted(self.customers.numbers)
        assert surprises == 0
        found = [
            line
            for trade in self.customers.emulator.trades
            for line in differences(trade.out_trade_no, books[trade.out_trade_no], trade)
        ]
        return found + silence + [f"{left} notifications are not applied"] * bool(left)


UNAPPLIED = "SELECT count(*) FROM inbox_notifications WHERE status <> 'applied'"


@contextmanager
def _serving(directory: Path, processes: int) -> Generator[Deployment]:
    port, emulator_port = free_port(), free_port()
    emulator = create_emulator(directory / "emulator", port=emulator_port)
    emulator.set_fault(
        "gateway_timeout_after_success", method=REFUND, probability=0.1, seconds=0.05
    )
    given = emulator.credentials("shop")
    key = prepare(directory, port, app_of(given), given["seller_id"])
    customers = Customers(port, key, emulator)
    with Server(emulator.asgi, emulator_port), receiver() as hook:
        deployment = Deployment(directory, customers, hook, processes)
        deployment.start()
        try:
            _add_endpoint(customers, hook)
            customers.come()
            yield deployment
        finally:
            end(deployment.process)


def _add_endpoint(customers: Customers, hook: Receiver) -> None:
    added = httpx2.post(
        f"http://127.0.0.1:{customers.port}/v1/webhook_endpoints",
        json={"url": hook.url},
        headers={"Authorization": f"Bearer {customers.key}"},
        trust_env=False,
        verify=False,
    )
    assert added.status_code == 201, added.text
