"""The console: how long its pages take over books with a million orders, and how much they transfer.

A year of orders in every state lies in the books of one merchant. ``daozhang serve`` runs on them, and a
person who is signed in asks for each page of `PAGES` again and again, by other numbers and days each
time. What is timed is the whole answer over the loopback, by one reader after the other.
"""

from __future__ import annotations

import gzip
import http.client
import random
import re
import statistics
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

import sqlalchemy as sa

from benchmarks.contenders import contenders, fill_grown, our_environment
from benchmarks.contest import cpu_seconds, served
from benchmarks.rounds import print_table
from benchmarks.stage import SHOP, Stage, set_up
from daozhang.app import create_context
from daozhang.clock import ManualClock
from daozhang.service.audit.model import SYSTEM
from daozhang.service.overview.duties import SumUp
from daozhang.service.people.actions import create_owner
from daozhang.service.people.model import SignInStep
from daozhang.service.people.sessions import begin_session
from daozhang.service.progress import SETTLED_SECONDS
from daozhang.service.search.duties import AGAIN_SECONDS, FillSearch
from daozhang.service.settings import load_settings
from grown import spread_over_a_year

ROWS: Final = 1_000_000
P95_MS_MAX: Final = 150
SEARCH_ROWS: Final = 10_000
"""Rows of one batch while nobody is there whom it could keep waiting."""
FIRST_BYTES_MAX: Final = 600_000
LATER_BYTES_MAX: Final = 60_000

M: Final = f"/m/{SHOP}"

PAGES: Final[list[tuple[str, str]]] = [
    ("overview", f"{M}/overview"),
    ("overview, 30 days", f"{M}/overview?days=30"),
    ("overview of all merchants", "/overview"),
    ("money at risk", f"{M}/overview/at_risk"),
    ("orders", f"{M}/orders"),
    *[
        (f"orders, {status}", f"{M}/orders?status={status}")
        for status in (
            "paid", "waiting", "created", "closing", "closed", "refunded", "finished",
        )
    ],
    ("orders, most common way", f"{M}/orders?way=page"),
    ("orders, rare way", f"{M}/orders?way=mini"),
    ("orders, way never used", f"{M}/orders?way=hold"),
    ("orders, created on a day", f"{M}/orders?from={{day}}&to={{day}}"),
    ("orders, paid on a day", f"{M}/orders?by=paid&from={{day}}&to={{day}}"),
    ("orders, refunded on a day", f"{M}/orders?by=refunded&from={{day}}&to={{day}}"),
    ("orders, way, state and month", f"{M}/orders?status=closed&way=wap&from={{month}}&to={{day}}"),
    ("search: order number", f"{M}/orders?q={{number}}"),
    ("search: trade number", f"{M}/orders?q={{trade}}"),
    ("search: nobody's number", f"{M}/orders?q=nobody{{number}}"),
    ("order", f"{M}/orders/{{number}}"),
]  # fmt: skip
"""Name and address, below the console, of each page that is timed. A family adds its pages here; `_fill`
says what the braces stand for."""


@dataclass(frozen=True)
class Answer:
    """What one request got."""

    status: int
    seconds: float
    body: bytes
    transferred: int
    location: str


class Reader:
    """Somebody who is signed in, on one connection."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers = {
            "Cookie": f"daozhang_session={token}",
            "Accept-Encoding": "gzip",
            "Accept-Language": "zh-CN",
        }

    def get(self, path: str) -> Answer:
        """Asks, and reads the whole answer."""
        started = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        packed = answer.read()
        seconds = time.perf_counter() - started
        plain = packed
        if answer.getheader("Content-Encoding") == "gzip":
            plain = gzip.decompress(packed)
        location = answer.getheader("Location", "")
        return Answer(answer.status, seconds, plain, len(packed), location)

    def close(self) -> None:
        """Hangs up."""
        self._connection.close()


def run(dialect: str, samples: int, rows: int = ROWS) -> bool:
    """Prints the tables of one database, and whether all pages are as quick and as light as promised."""
    until = datetime.now(UTC).replace(microsecond=0)
    with ExitStack() as stack:
        stage = stack.enter_context(set_up(dialect, orders=10))
        stage.template("console", lambda url: _fill_books(stage, url, rows, until))
        url = stage.own("console")
        token = _sign_in(stage, url)
        port, pid = stack.enter_context(served(stage, contenders(stage)[0], url))
        reader = Reader(port, token)
        stack.callback(reader.close)
        kept = _time(dialect, reader, pid, samples, rows, until)
        return _weigh(dialect, reader) and kept


def _time(dialect: str, reader: Reader, pid: int, samples: int, rows: int, until: datetime) -> bool:
    chosen = random.Random(88.88)
    table: list[list[str]] = []
    slow: list[str] = []
    for name, address in PAGES:
        figures: list[float] = []
        cpu = cpu_seconds(pid)
        for number in range(samples + 3):
            path = "/console" + _fill(address, chosen, rows, until)
            answer = reader.get(path)
            if answer.status not in (200, 303):
                raise SystemExit(f"{path} answered {answer.status}: {answer.body[-2000:]!r}")
            if "/sign_in" in answer.location:
                raise SystemExit(f"{path} led to the sign-in")
            if number >= 3:  # the first ones warm up
                figures.append(answer.seconds * 1000)
        p95 = statistics.quantiles(figures, n=20)[-1]
        cpu = (cpu_seconds(pid) - cpu) * 1000 / (samples + 3)
        if p95 > P95_MS_MAX:
            slow.append(name)
        table.append([name, f"{statistics.median(figures):.1f}", f"{p95:.1f}", f"{cpu:.0f}"])
        print(f"console {dialect}: {' '.join(table[-1])}", file=sys.stderr, flush=True)
    print_table(
        f"Console: {dialect}, {rows:,} orders, {samples} of each page",
        ["page", "p50 ms", "p95 ms", "CPU ms"],
        table,
    )
    print(f"promise: p95 at most {P95_MS_MAX} ms -> {', '.join(slow) or 'all'}")
    return not slow


def _weigh(dialect: str, reader: Reader) -> bool:
    """What a first load and a later one transfer, compressed."""
    table: list[list[str]] = []
    kept = True
    for name, path in (("orders", f"{M}/orders"), ("overview", f"{M}/overview")):
        page = reader.get(f"/console{path}")
        assets = {
            found.partition("#")[0]
            for found in re.findall(r'(?:href|src)="(/console/static/[^"]+)"', page.body.decode())
        }
        first = page.transferred + sum(reader.get(asset).transferred for asset in assets)
        kept = kept and first <= FIRST_BYTES_MAX and page.transferred <= LATER_BYTES_MAX
        table.append([name, f"{first / 1000:.0f}", f"{page.transferred / 1000:.1f}"])
    print_table(
        f"Console: {dialect}, transferred, compressed", ["page", "first kB", "later kB"], table
    )
    limits = f"{FIRST_BYTES_MAX // 1000} kB first, {LATER_BYTES_MAX // 1000} kB later"
    print(f"promise: at most {limits} -> {'kept' if kept else 'not kept'}")
    return kept


def _fill(address: str, chosen: random.Random, rows: int, until: datetime) -> str:
    """``address`` with a number, a trade and days in place of its braces."""
    number = chosen.randint(1, rows)
    day = (until - timedelta(days=chosen.randint(0, 360))).date()
    values: Mapping[str, str] = {
        "number": f"G{number}",
        "trade": f"2026{number:024d}",
        "day": day.isoformat(),
        "month": (day - timedelta(days=30)).isoformat(),
    }
    return address.format(**{name: quote(value) for name, value in values.items()})


def _fill_books(stage: Stage, url: str, rows: int, until: datetime) -> None:
    fill_grown(stage, url, rows)
    clock = ManualClock(until)
    context = create_context(load_settings(our_environment(stage, url)), clock)
    spread_over_a_year(context.database, rows, until)
    sums, search = SumUp(context), FillSearch(context, batch_rows=SEARCH_ROWS)
    sums.run_due()
    clock.advance(SETTLED_SECONDS + AGAIN_SECONDS)
    for what, duty in (("summed up", sums), ("in the index", search)):
        started = time.perf_counter()
        while duty.run_due():
            pass
        seconds = time.perf_counter() - started
        print(f"{rows:,} orders are {what} in {seconds:.1f} s", file=sys.stderr, flush=True)
    with context.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text("ANALYZE"))
    context.database.dispose()


def _sign_in(stage: Stage, url: str) -> str:
    """The token of a session of an owner."""
    context = create_context(load_settings(our_environment(stage, url)))
    with context.database.begin() as tx:
        person, _ = create_owner(
            tx, context, SYSTEM, email="o@example.com", name="O", password="green tea leaves"
        )
        signed_in = begin_session(
            tx,
            person,
            SignInStep.SIGNED_IN,
            address="127.0.0.1",
            agent="benchmark",
            now=context.clock.now(),
        )
    with context.database.read() as tx:
        assert tx.execute(sa.text("SELECT count(*) FROM overview_hours")).scalar_one() > 0
    context.database.dispose()
    return signed_in.token
