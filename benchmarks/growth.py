"""Growth: what a notification waits for when the books hold millions of orders.

Two services run side by side, one on small books and one on grown ones, and get the load in turn;
the one that has no turn idles. Beside the load's latencies stands how far they are apart.
"""

from __future__ import annotations

import statistics
import sys
from contextlib import ExitStack

from benchmarks.contenders import contenders, fill_grown
from benchmarks.contest import CONNECTIONS, Load, applied, served
from benchmarks.rounds import print_table
from benchmarks.stage import set_up

SMALL = 10_000
GROWN = 5_000_000
TIMES_MAX = 1.3

BUSY = CONNECTIONS[-1]


def run(dialect: str, rounds: int, seconds: float, orders: int, grown: int = GROWN) -> bool:
    """Prints p99 and speed on books of both sizes, and whether growth costs what it may."""
    with ExitStack() as stack:
        stage = stack.enter_context(set_up(dialect, orders))
        ours = contenders(stage)[0]
        load = stack.enter_context(Load(stage))
        ports: dict[int, int] = {}
        urls: dict[int, str] = {}
        for rows in (SMALL, grown):
            stage.template(f"books_{rows}", lambda url, rows=rows: fill_grown(stage, url, rows))
            urls[rows] = stage.own(f"books_{rows}")
            ports[rows], _ = stack.enter_context(served(stage, ours, urls[rows]))
        p99: dict[int, list[float]] = {rows: [] for rows in ports}
        speed: dict[int, list[float]] = {rows: [] for rows in ports}
        posted = dict.fromkeys(ports, 0)
        done = {rows: rows for rows in ports}
        for number in range(rounds + 1):
            for rows, port in ports.items():
                answer = load.ask(port, posted[rows], None, BUSY, seconds)
                posted[rows] += answer["answered"]
                done[rows] = applied(ours, urls[rows], done[rows] + answer["answered"])
                if number:  # the first round warms up
                    latencies: list[float] = answer["latencies"]
                    p99[rows].append(latencies[int(len(latencies) * 0.99)] * 1000)
                    speed[rows].append(answer["answered"] / answer["seconds"])
            print(f"growth {dialect}: round {number} of {rounds}", file=sys.stderr, flush=True)
    median = {rows: statistics.median(figures) for rows, figures in p99.items()}
    print_table(
        f"Growth: {dialect}, {BUSY} connections, medians of {rounds}",
        ["orders in the books", "p99 ms", "from - to", "per second"],
        [
            [
                f"{rows:,}",
                f"{median[rows]:.1f}",
                f"{min(figures):.1f} - {max(figures):.1f}",
                f"{statistics.median(speed[rows]):,.0f}",
            ]
            for rows, figures in p99.items()
        ],
    )
    times = median[grown] / median[SMALL]
    print(f"promise: p99 at most {TIMES_MAX} x that of small books -> {times:.2f}")
    return times <= TIMES_MAX
