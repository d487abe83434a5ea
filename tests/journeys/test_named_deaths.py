"""Deaths at named points: a process is killed at each commit and each edge of the network.

A day in a shop is lived once for each point: payments plain and not, one that Alipay never told
of, a refund that is answered and one that is not, an order that is given up. The process dies at
the point; others take its place, on PostgreSQL two of them. In the end our books are the
emulator's ledger, and every event has arrived.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

import mortal
from books import check_books
from daozhang.app import create_context
from daozhang.clock import ManualClock
from daozhang.emulator.app import Emulator, create_emulator
from daozhang.service.db import Database
from daozhang.service.migrations import upgrade
from daozhang.service.settings import load_settings
from databases import database_url, on_postgresql
from equality import differences, read_books, unheard
from figures import note_figures
from mortal import MARK, POINTS, Point
from processes import end, environment, status, until
from receivers import Receiver, receiver
from worlds import Server, app_of, free_port, register

ROUNDS_MAX = 80
PUSH_SECONDS = 20

SHORT = (
    "payment written, before its commit",
    "POST answered, before it is recorded",
    "money moved, before it is written",
)
"""What runs with all tests; ``make chaos`` dies everywhere."""


@dataclass
class Shop:
    """The service in processes of its own, the emulator, a receiver, and the hands of people."""

    directory: Path
    port: int
    emulator: Emulator
    clock: ManualClock
    hook: Receiver
    key: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    deaths: list[int] = field(default_factory=list)
    ahead: float = 0.0

    def start(self, port: int, *point: str) -> None:
        """Starts a process, which dies at ``point`` if one is given."""
        with (self.directory / "serve.log").open("ab") as log:
            program = [sys.executable, mortal.__file__, str(port), str(self.directory / "ahead")]
            process = subprocess.Popen(
                [*program, *point],
                env=environment(self.directory, self.port),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        until(lambda: process.poll() is not None or status(port, "/readyz") == 200)

    def tend(self) -> None:
        """Whoever looks after the machine: a process that has died is started again, unarmed."""
        for process in list(self.processes):
            if process.poll() is not None:
                self.processes.remove(process)
                self.deaths.append(process.returncode)
                if on_postgresql() and len(self.deaths) == 1:
                    self.start(free_port())  # a peer, which takes over what was begun
                self.start(self.port)

    def ask(self, method: str, path: str, accepted: tuple[int, ...], **body: Any) -> dict[str, Any]:
        """What the API answers; asked again until somebody does."""
        deadline = time.monotonic() + 60
        url = f"http://127.0.0.1:{self.port}{path}"
        own = {"Authorization": f"Bearer {self.key}"}
        while True:
            try:
                answer = httpx2.request(
                    method, url, json=body, headers=own, trust_env=False, verify=False, timeout=20
                )
            except httpx2.HTTPError:
                assert time.monotonic() < deadline, "nobody answers"
                self.tend()
                continue
            assert answer.status_code in accepted, (path, answer.status_code, answer.text)
            return answer.json()

    def order(self, number: str, **more: Any) -> str:
        """Creates an order and opens its page, as the buyer does."""
        body = {"out_trade_no": number, "amount": "88.88", "subject": "明前龙井", **more}
        url = self.ask("POST", "/v1/orders", (200, 201), **body)["pay_url"]
        deadline = time.monotonic() + 60
        while True:
            try:
                page = httpx2.get(
                    url, trust_env=False, verify=False, timeout=20, follow_redirects=True
                )
            except httpx2.HTTPError:
                assert time.monotonic() < deadline, "nobody answers"
                self.tend()
                continue
            assert page.status_code == 200, page.text
            return number

    def status(self, number: str) -> str:
        return str(self.ask("GET", f"/v1/orders/{number}", (200,))["status"])

    def refund(self, number: str, name: str) -> None:
        body = {"amount": "8.88", "out_request_no": name}
        self.ask("POST", f"/v1/orders/{number}/refunds", (200, 201, 202), **body)

    def push(self) -> None:
        """Time passes, for all."""
        self.tend()
        self.ahead += PUSH_SECONDS
        beside = self.directory / "ahead.new"
        beside.write_text(str(self.ahead))
        beside.replace(self.directory / "ahead")
        self.emulator.advance(PUSH_SECONDS)
        time.sleep(0.3)

    def push_until(self, true: Callable[[], bool]) -> None:
        for _ in range(ROUNDS_MAX):
            if true():
                return
            self.push()
        raise AssertionError("it never came true")


@contextmanager
def shop(directory: Path) -> Generator[Shop]:
    clock = ManualClock()
    emulator_port, port = free_port(), free_port()
    emulator = create_emulator(directory / "emulator", clock=clock, port=emulator_port)
    (directory / "ahead").write_text("0")
    context = create_context(load_settings(environment(directory, port)))
    upgrade(context.database)
    given = emulator.credentials("shop")
    key = register(context, app_of(given), seller_id=given["seller_id"])
    context.database.dispose()
    with Server(emulator.asgi, emulator_port), receiver() as hook:
        alive = Shop(directory, port, emulator, clock, hook, key)
        try:
            yield alive
        finally:
            for process in alive.processes:
                end(process)


def _named(points: tuple[Point, ...]) -> list[Any]:
    return [
        pytest.param(point, id=point.name, marks=[] if point.name in SHORT else pytest.mark.chaos)
        for point in points
    ]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", _named(POINTS))
def test_a_death_at_a_named_point_loses_nothing_and_doubles_nothing(
    tmp_path: Path, point: Point
) -> None:
    began = time.monotonic()
    with shop(tmp_path) as alive:
        alive.start(alive.port, point.name)
        _live_a_day(alive)
        alive.push_until(lambda: _differences(alive) == [])
        assert alive.deaths == [-signal.SIGKILL], "it has not died, or not alone"
        assert (tmp_path / MARK).read_text() == point.name
        database = Database(database_url(tmp_path))
        check_books(database)
        database.dispose()
    figures = {
        "database": "postgresql" if on_postgresql() else "sqlite",
        "died": point.name,
        "lost": 0,
        "double": 0,
        "seconds": round(time.monotonic() - began, 1),
    }
    note_figures("deaths at named points", figures)


def _live_a_day(alive: Shop) -> None:
    url = alive.hook.url
    alive.ask("POST", "/v1/webhook_endpoints", (201,), url=url)
    plain = alive.order("PLAIN")
    alive.emulator.pay(plain)
    cart = alive.order("CART", cart_ref="cart-1")
    alive.emulator.pay(cart)
    given_up = alive.order("GIVEN-UP")
    alive.ask("POST", f"/v1/orders/{given_up}/close", (200, 202))
    untold = alive.order("UNTOLD")
    alive.emulator.set_fault("notify_never", out_trade_no=untold)
    alive.emulator.pay(untold)
    for number in (plain, cart, untold):
        alive.push_until(lambda number=number: alive.status(number) == "paid")
    alive.refund(plain, "R-ANSWERED")
    # Whether this one has moved money, only a question tells.
    alive.emulator.set_fault("notify_never", out_trade_no=cart)
    alive.emulator.set_fault(
        "gateway_timeout_after_success", out_trade_no=cart, method="alipay.trade.refund", times=1
    )
    alive.refund(cart, "R-UNANSWERED")


def _differences(alive: Shop) -> list[str]:
    """What is not yet as it must be."""
    database = Database(database_url(alive.directory))
    try:
        books = read_books(database)
        with database.read() as tx:
            left = tx.execute(
                sa.text("SELECT count(*) FROM inbox_notifications WHERE status <> 'applied'")
            ).scalar_one()
        silence = unheard(database, alive.hook)
    finally:
        database.dispose()
    ledger = {trade.out_trade_no: trade for trade in alive.emulator.trades}
    found = [
        line for number in ledger for line in differences(number, books[number], ledger[number])
    ]
    assert len(books) == 4
    moved = {number: len(trade.refunds) for number, trade in ledger.items()}
    if moved != {"PLAIN": 1, "CART": 1, "GIVEN-UP": 0, "UNTOLD": 0}:
        found.append(f"refunds at Alipay: {moved}")
    if left:
        found.append(f"{left} notifications are not applied")
    return found + silence


def test_every_point_has_a_name_of_its_own_and_is_there() -> None:
    assert len({point.name for point in POINTS}) == len(POINTS)
    assert set(SHORT) <= {point.name for point in POINTS}
    root = Path(sys.modules["daozhang"].__file__ or "").parent / "service"
    for point in POINTS:
        function = point.function.rpartition(".")[2]
        assert f"def {function}(" in (root / point.file).read_text(), point
