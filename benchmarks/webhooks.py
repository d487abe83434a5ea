"""Outgoing webhooks: what a delivery costs, and whether bad neighbours delay a good receiver.

Cost: events are laid into the database of a running service, and what its process has computed by
the time all have been delivered is divided by their number; database, receiver and this process
are not counted. Delay: real notifications are posted at a steady pace, and the time from Alipay's
``success`` (the event is committed then) to the POST at the receiver is taken, alone and beside
three endpoints that hang, answer 500, and answer after 3 s. All of it through ``daozhang serve``.
"""

from __future__ import annotations

import http.client
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa

from benchmarks.contenders import fill_ours, our_environment
from benchmarks.contest import ROOT, cpu_seconds
from benchmarks.load import read_bodies
from benchmarks.rounds import print_table
from benchmarks.stage import NOTIFY_PATH, SHOP, Stage, read_number, set_up, stop
from daozhang.app import create_context
from daozhang.service.auth.actions import create_api_key
from daozhang.service.auth.model import KeyMerchant, Scope
from daozhang.service.bulk import insert_rows
from daozhang.service.ids import new_id
from daozhang.service.merchants.store import find_merchant
from daozhang.service.outbox.store import events
from daozhang.service.settings import load_settings
from ports import free_port

CPU_MS_MAX = 0.6
DELAY_RATIO_MAX = 2.0
BAD = ("/hang", "/error", "/slow")
WARMING = 40
POSTS_PER_SECOND = 40
WAIT_SECONDS_MAX = 120


@dataclass
class Figures:
    """What the rounds gave; milliseconds."""

    cpu: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)


@dataclass
class Running:
    """A service with a receiver, and where it has got to in the stage's notifications."""

    stage: Stage
    url: str
    process: subprocess.Popen[bytes]
    port: int
    sink: int
    api: httpx2.Client
    posted: int = 0

    def add_endpoint(self, path: str) -> str:
        """An endpoint at the sink; its id."""
        wanted = {"url": f"http://127.0.0.1:{self.sink}{path}"}
        answer = self.api.post("/v1/webhook_endpoints", json=wanted)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def times(self) -> dict[str, float]:
        """When each order's event came to the good endpoint."""
        return httpx2.get(f"http://127.0.0.1:{self.sink}/times", trust_env=False).json()

    def forget(self) -> None:
        httpx2.get(f"http://127.0.0.1:{self.sink}/forget", trust_env=False)

    def post(self, count: int, bodies: Sequence[bytes]) -> dict[str, float]:
        """Posts the next notifications at a steady pace; when each was answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        answered: dict[str, float] = {}
        started = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, started + number / POSTS_PER_SECOND - time.monotonic()))
            body = bodies[self.posted]
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", NOTIFY_PATH, body, headers)
            answer = connection.getresponse()
            assert answer.read() == b"success"
            answered[self.stage.numbers[self.posted]] = time.monotonic()
            self.posted += 1
        connection.close()
        return answered

    def delays(self, count: int, bodies: Sequence[bytes]) -> list[float]:
        """Milliseconds from the answer to the POST, for the next ``count``, in order."""
        self.forget()
        answered = self.post(count, bodies)
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while len(arrived := self.times()) < count:
            _not_after(deadline, f"{len(arrived)} of {count} events arrived")
            time.sleep(0.2)
        return sorted(max(0.0, arrived[order] - at) * 1000 for order, at in answered.items())


def run(rounds: int, deliveries: int, seconds: float) -> bool:
    """Prints the table; whether the limits hold on both databases."""
    rows: list[list[str]] = []
    kept = True
    paced = int(seconds * POSTS_PER_SECOND)
    for dialect in ("postgresql", "sqlite"):
        figures = Figures()
        with set_up(dialect, orders=WARMING + 2 * paced + deliveries) as stage:
            stage.template("webhooks", lambda url, stage=stage: fill_ours(stage, url))
            bodies = read_bodies(stage.bodies)
            for number in range(rounds):
                with stage.copy("webhooks") as url, _running(stage, url) as running:
                    _round(running, bodies, figures, deliveries, paced)
                print(
                    f"webhooks, {dialect}, round {number + 1}: {_brief(figures)}", file=sys.stderr
                )
        cpu, alone, beside = (
            statistics.median(each) for each in (figures.cpu, figures.alone, figures.beside)
        )
        kept = kept and cpu <= CPU_MS_MAX and beside <= DELAY_RATIO_MAX * alone
        per_second = statistics.median(figures.per_second)
        rows.append(
            [
                *(dialect, f"{cpu:.2f}", f"{per_second:,.0f}"),
                *(f"{alone:.1f}", f"{beside:.1f}", f"{beside / alone:.2f}"),
            ]
        )
    header = ["database", "CPU ms", "per second", "p99 alone ms", "p99 beside bad ms", "x alone"]
    title = f"Outgoing webhooks (limits: {CPU_MS_MAX} ms of CPU, {DELAY_RATIO_MAX:.0f} x alone)"
    print_table(title, header, rows)
    print(f"promise: both limits, on both databases; kept: {kept}")
    return kept


def _round(
    running: Running, bodies: Sequence[bytes], figures: Figures, deliveries: int, paced: int
) -> None:
    running.add_endpoint("/ok")
    running.delays(WARMING, bodies)
    figures.alone.append(_p99(running.delays(paced, bodies)))
    cpu, seconds = _cost(running, deliveries)
    figures.cpu.append(cpu * 1000)
    figures.per_second.append(deliveries / seconds)
    for path in BAD:
        running.add_endpoint(path)
    figures.beside.append(_p99(running.delays(paced, bodies)))


def _p99(delays: Sequence[float]) -> float:
    return delays[int(len(delays) * 0.99)]


def _cost(running: Running, deliveries: int) -> tuple[float, float]:
    """CPU seconds of one delivery, and the seconds that all took."""
    running.forget()
    used = cpu_seconds(running.process.pid)
    _lay_events(running.url, running.stage.numbers[-deliveries:])
    started = time.monotonic()
    deadline = started + WAIT_SECONDS_MAX
    pending = "SELECT count(*) FROM webhook_deliveries WHERE status = 'delivered'"
    expected = running.posted + deliveries
    while (done := read_number(running.url, pending)) < expected:
        _not_after(deadline, f"{done} of {expected} deliveries were recorded")
        time.sleep(0.1)
    cpu = (cpu_seconds(running.process.pid) - used) / deliveries
    times = sorted(running.times().values())
    assert len(times) == deliveries
    return cpu, times[-1] - times[0]


def _lay_events(url: str, numbers: Sequence[str]) -> None:
    """An event for each of those orders, like the latest that the service has written itself."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        real = connection.execute(events.select().order_by(events.c.number.desc()).limit(1))
        like: dict[str, Any] = dict(real.mappings().one())
        first = connection.execute(
            sa.text("SELECT id FROM orders WHERE out_trade_no = :n"), {"n": numbers[0]}
        ).scalar_one()
    engine.dispose()
    del like["number"]
    context = create_context(load_settings({"DAOZHANG_DATABASE_URL": url}))
    rows = [
        like
        | {"id": new_id("evt", like["created_at"]), "order_id": first + at}
        | {"data": {**like["data"], "order": {**like["data"]["order"], "out_trade_no": number}}}
        for at, number in enumerate(numbers)
    ]
    for at in range(0, len(rows), 500):
        with context.database.begin() as tx:
            insert_rows(tx, events, rows[at : at + 500])
    context.database.dispose()


@contextmanager
def _running(stage: Stage, url: str) -> Generator[Running]:
    port, sink_port = free_port(), free_port()
    given = our_environment(stage, url) | {"DAOZHANG_WEBHOOKS_ALLOW_PRIVATE": "true"}
    key = _api_key(given)
    daozhang = str(Path(sys.executable).parent / "daozhang")
    log = stage.directory / "webhooks.log"
    sink = subprocess.Popen([sys.executable, "-m", "benchmarks.sink", str(sink_port)], cwd=ROOT)
    with log.open("ab") as output:
        service = subprocess.Popen(
            [daozhang, "serve", "--port", str(port)],
            env={**os.environ, **given},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    headers = {"Authorization": f"Bearer {key}"}
    base = f"http://127.0.0.1:{port}"
    try:
        with httpx2.Client(base_url=base, headers=headers, trust_env=False) as api:
            _ready(api, log)
            yield Running(stage, url, service, port, sink_port, api)
    finally:
        stop(service)
        sink.terminate()
        sink.wait()


def _api_key(given: dict[str, str]) -> str:
    context = create_context(load_settings(given))
    with context.database.begin() as tx:
        merchant = find_merchant(tx, SHOP)
        assert merchant is not None
        _, key = create_api_key(
            tx,
            name="benchmark",
            environment=merchant.environment,
            merchants=[KeyMerchant(merchant.id, merchant.slug)],
            scopes=[Scope.WEBHOOKS_WRITE],
            refund_limit=None,
            now=context.clock.now(),
        )
    context.database.dispose()
    return key


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


def _not_after(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise SystemExit(f"webhooks: {what} within {WAIT_SECONDS_MAX} s")


def _brief(figures: Figures) -> str:
    return (
        f"{figures.cpu[-1]:.2f} ms CPU, {figures.per_second[-1]:.0f}/s, "
        f"p99 {figures.alone[-1]:.1f} ms alone, {figures.beside[-1]:.1f} ms beside bad ones"
    )
