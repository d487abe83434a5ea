"""Servers against one another: notifications acknowledged *and applied with their event* a second.

Each turn is a fresh database, a server started for it, a little to warm up, and then so many
seconds at each number of connections; the rows are counted afterwards, and what was answered but
not applied counts as failure of the whole run. All share the two cores with the load, alike.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.rounds import print_table
from benchmarks.stage import NOTIFY_PATH, Stage, read_number, stop
from ports import free_port

CONNECTIONS = (24, 128)
WARMING_NOTIFICATIONS = 1000
START_SECONDS_MAX = 60
APPLY_SECONDS_MAX = 30

ROOT = Path(__file__).parents[1]
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """A contender: how its database is filled, how it is started, what it must have written."""

    name: str
    fill: Callable[[Stage, str], None]
    command: Callable[[str, int], tuple[list[str], Mapping[str, str]]]
    """From the database's address and a port: the command line and its environment."""
    paid: str
    """The query that counts orders that are paid."""
    events: str
    """The query that counts events."""

    @property
    def template(self) -> str:
        """What its template is called."""
        return "template_" + "".join(c for c in self.name.lower() if c.isalnum())


@dataclass
class Figures:
    """What a contender did with so many connections: one entry for each round."""

    per_second: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Microseconds of CPU that the server's processes took for one; the database's not counted."""


Results = dict[tuple[str, int], Figures]


def compete(stage: Stage, servers: Sequence[Server], *, rounds: int, seconds: float) -> Results:
    """Interleaved rounds of all ``servers``."""
    for server in servers:
        stage.template(server.template, lambda url, fill=server.fill: fill(stage, url))
    results: Results = {
        (server.name, number): Figures() for number in CONNECTIONS for server in servers
    }
    with Load(stage) as load:
        for number in range(rounds):
            for server in servers:
                _turn(stage, server, load, results, seconds)
            print(f"round {number + 1} of {rounds}: {_brief(results)}", file=sys.stderr, flush=True)
    return results


def _turn(stage: Stage, server: Server, load: Load, results: Results, seconds: float) -> None:
    with stage.copy(server.template) as url, served(stage, server, url) as (port, pid):
        posted = load.ask(port, 0, WARMING_NOTIFICATIONS, CONNECTIONS[0], seconds * 2)["answered"]
        done = applied(server, url, posted)
        for connections in CONNECTIONS:
            cpu = cpu_seconds(pid)
            answer = load.ask(port, posted, None, connections, seconds)
            posted += answer["answered"]
            waited = time.perf_counter()
            done = applied(server, url, done + answer["answered"])
            lag = time.perf_counter() - waited
            cpu = cpu_seconds(pid) - cpu
            # Counting takes some milliseconds itself; more than that is work left undone.
            taken = answer["seconds"] + (lag if lag > 0.1 else 0)
            _keep(results[server.name, connections], answer, taken, cpu)


@contextmanager
def served(stage: Stage, server: Server, url: str) -> Generator[tuple[int, int]]:
    """A running server on the database at ``url``: its port and its first process."""
    port = free_port()
    command, environment = server.command(url, port)
    log = stage.directory / f"{server.template}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            cwd=ROOT,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait(process, port, log)
        yield port, process.pid
    except SystemExit:
        print(f"{server.name} said:\n{log.read_text()[-3000:]}", file=sys.stderr)
        raise
    finally:
        stop(process)


def _keep(figures: Figures, answer: Mapping[str, Any], seconds: float, cpu: float) -> None:
    latencies: list[float] = answer["latencies"]
    figures.per_second.append(answer["answered"] / seconds)
    figures.p50.append(latencies[len(latencies) // 2] * 1000)
    figures.p99.append(latencies[int(len(latencies) * 0.99)] * 1000)
    figures.cpu.append(cpu / answer["answered"] * 1e6)


def applied(server: Server, url: str, expected: int) -> int:
    """Waits until as many orders are paid, with as many events, as were answered."""
    deadline = time.monotonic() + APPLY_SECONDS_MAX
    while (found := (read_number(url, server.paid), read_number(url, server.events))) != (
        expected,
        expected,
    ):
        if time.monotonic() > deadline:
            raise SystemExit(f"{server.name}: {expected} were answered, (paid, events) is {found}")
        time.sleep(0.02)
    return expected


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                connection.settimeout(5)
                if connection.recv(1):
                    break
        except OSError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"a server did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)
    # The other processes of the server start at the same time; they get a moment to be ready.
    time.sleep(1.5)


def cpu_seconds(pid: int) -> float:
    """What a process and all below it have used until now."""
    ticks, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
        except FileNotFoundError:
            continue
    return ticks / CLOCK_TICKS


class Load:
    """The process that posts."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def __enter__(self) -> Load:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def ask(
        self, port: int, first: int, last: int | None, connections: int, seconds: float
    ) -> dict[str, Any]:
        """Posts the notifications from ``first`` on for so many seconds."""
        question = {
            "port": port,
            "path": NOTIFY_PATH,
            "bodies": str(self._stage.bodies),
            "first": first,
            "last": last,
            "connections": connections,
            "seconds": seconds,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit("the load ended: see what it said above")
        return json.loads(answer)


def _brief(results: Results) -> str:
    return ", ".join(
        f"{name} {number}: {figures.per_second[-1]:.0f}/s p99 {figures.p99[-1]:.0f} ms"
        for (name, number), figures in results.items()
        if figures.per_second
    )


def table(results: Results, reference: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows: medians, and how each stands to ``reference``."""
    header = [
        "who",
        "connections",
        "per second",
        "from - to",
        "p50 ms",
        "p99 ms",
        "CPU µs",
        "x bare",
    ]
    rows: list[list[str]] = []
    for (name, number), figures in results.items():
        base = statistics.median(results[reference, number].per_second)
        median = statistics.median(figures.per_second)
        rows.append(
            [
                name,
                str(number),
                f"{median:,.0f}",
                f"{min(figures.per_second):,.0f} - {max(figures.per_second):,.0f}",
                f"{statistics.median(figures.p50):.1f}",
                f"{statistics.median(figures.p99):.1f}",
                f"{statistics.median(figures.cpu):.0f}",
                f"{median / base:.2f}",
            ]
        )
    return header, rows


def show(title: str, results: Results, reference: str) -> None:
    """Prints the table."""
    header, rows = table(results, reference)
    print_table(title, header, rows)
