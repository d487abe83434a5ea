"""At the till: what a barcode payment that succeeds at once costs us, and what a QR order costs.

`daozhang serve` and the emulator are processes of their own, over real HTTP. Counted is what the service's
process has computed, from the order's creation to its last event, notification included; the database,
the emulator and this process are not counted. Nor is what is asked later about codes that nobody has
scanned, which starts some seconds after them: each round has books of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.contest import cpu_seconds
from benchmarks.rounds import print_table
from benchmarks.stage import stop
from daozhang.app import create_context
from daozhang.service.migrations import upgrade
from daozhang.service.settings import load_settings
from peers.desk import Desk, emulator_on_the_desk
from ports import free_port
from postgres import PostgresServer
from worlds import app_of, register

BARCODE_MS_MAX = 15.0
QR_MS_MAX = 4.0
WARMING = 20
REST_SECONDS = 3
SETTLE_SECONDS_MAX = 60


def run(rounds: int, payments: int) -> bool:
    """Prints the table; whether both limits hold on both databases."""
    figures: dict[str, list[tuple[float, float]]] = {"postgresql": [], "sqlite": []}
    with tempfile.TemporaryDirectory(prefix="daozhang-till-") as directory:
        for number in range(rounds):
            for dialect, costs in figures.items():
                with _at_the_till(dialect, Path(directory) / f"{dialect}{number}") as till:
                    till.pay_by_code("w", WARMING)
                    till.make_codes("x", WARMING)
                    scanned = till.cost(till.pay_by_code, "b", payments)
                    costs.append((scanned, till.cost(till.make_codes, "q", payments)))
    rows: list[list[str]] = []
    kept = True
    for dialect, costs in figures.items():
        barcode, qr = (statistics.median(each) for each in zip(*costs, strict=True))
        kept = kept and barcode <= BARCODE_MS_MAX and qr <= QR_MS_MAX
        rows.append([dialect, f"{barcode:.2f}", f"{qr:.2f}"])
    title = (
        f"At the till, CPU (limits: {BARCODE_MS_MAX:.0f} ms a payment, {QR_MS_MAX:.0f} ms a code)"
    )
    print_table(title, ["database", "barcode payment ms", "QR order ms"], rows)
    print(f"promise: both limits, on both databases; kept: {kept}")
    return kept


class _Till:
    """A service and its emulator, and what a cashier does."""

    def __init__(self, desk: Desk, api: httpx2.Client, pid: int) -> None:
        self._desk = desk
        self._api = api
        self._pid = pid

    def cost(self, work: Callable[[str, int], None], prefix: str, count: int) -> float:
        """Milliseconds of CPU for each of ``count``."""
        time.sleep(REST_SECONDS)
        used = cpu_seconds(self._pid)
        work(prefix, count)
        return (cpu_seconds(self._pid) - used) / count * 1000

    def pay_by_code(self, prefix: str, count: int) -> None:
        """Orders, each paid by a scanned code at once, and everything that follows."""
        for number in range(count):
            self._order(f"{prefix}{number}", "barcode")
            code = {"auth_code": self._desk.payment_code()}
            paid = self._api.post(f"/v1/orders/{prefix}{number}/barcode_payment", json=code)
            assert paid.json()["state"] == "paid", paid.text
        self._wait_for_notifications()

    def make_codes(self, prefix: str, count: int) -> None:
        """Orders, each with the code that a buyer scans."""
        for number in range(count):
            self._order(f"{prefix}{number}", "qr")
            made = self._api.post(f"/v1/orders/{prefix}{number}/qr_code")
            assert made.status_code == 200, made.text

    def _order(self, number: str, way: str) -> None:
        body = {"out_trade_no": number, "amount": "8.88", "subject": "Tea", "way": way}
        created = self._api.post("/v1/orders", json=body)
        assert created.status_code == 201, created.text

    def _wait_for_notifications(self) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        address = f"{self._desk.address}/_control/notifications"
        while time.monotonic() < deadline:
            told: list[dict[str, Any]] = httpx2.get(address, trust_env=False).json()[
                "notifications"
            ]
            if all(one["delivery"] != "pending" for one in told):
                return
            time.sleep(0.2)
        raise SystemExit("till: notifications did not arrive")


@contextmanager
def _at_the_till(dialect: str, directory: Path) -> Generator[_Till]:
    (directory / "emulator").mkdir(parents=True)
    server = PostgresServer.create(fsync=True) if dialect == "postgresql" else None
    port = free_port()
    try:
        with emulator_on_the_desk(directory / "emulator") as desk:
            given = {
                "DAOZHANG_DATA_DIR": str(directory),
                "DAOZHANG_ENVIRONMENTS": "emulator",
                "DAOZHANG_PUBLIC_URL": f"http://127.0.0.1:{port}",
                "DAOZHANG_DATABASE_URL": f"sqlite:///{directory / 'till.sqlite3'}"
                if server is None
                else server.url("postgres"),
            }
            context = create_context(load_settings(given))
            upgrade(context.database)
            key = register(
                context, app_of(desk.credentials), seller_id=desk.credentials["seller_id"]
            )
            context.database.dispose()
            with _serving(given, port, directory / "serve.log") as service:
                headers = {"Authorization": f"Bearer {key}"}
                base = f"http://127.0.0.1:{port}"
                with httpx2.Client(base_url=base, headers=headers, trust_env=False) as api:
                    _ready(api, directory / "serve.log")
                    yield _Till(desk, api, service.pid)
    finally:
        if server is not None:
            server.remove()


@contextmanager
def _serving(given: dict[str, str], port: int, log: Path) -> Generator[subprocess.Popen[bytes]]:
    daozhang = str(Path(sys.executable).parent / "daozhang")
    with log.open("ab") as output:
        service = subprocess.Popen(
            [daozhang, "serve", "--port", str(port)],
            env={**os.environ, **given},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield service
    finally:
        stop(service)


def _ready(api: httpx2.Client, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if api.get("/readyz").status_code == 200:
                return
        except httpx2.HTTPError:
            pass
        if time.monotonic() > deadline:
            raise SystemExit(f"the service did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)
