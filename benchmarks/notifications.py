"""Notifications over HTTP: acknowledged *and applied with their event*, ours against the others.

What a tutorial builds and a bare prototype that verifies, group-commits and does nothing else
stand beside ours in every round, on the same two cores, with the same load.
"""

from __future__ import annotations

import statistics

from benchmarks.contenders import BARE, FLASK, OURS, contenders
from benchmarks.contest import CONNECTIONS, Results, compete, show
from benchmarks.stage import set_up

TIMES_FLASK_MIN = 8.0
OF_BARE_MIN = 0.55
P99_OF_BARE_MAX = 2.5

BUSY = CONNECTIONS[-1]
"""Connections at which the promises are held."""


def run(dialect: str, rounds: int, seconds: float, orders: int) -> bool:
    """Prints the table of one database; whether its promises were kept. They are PostgreSQL's:
    on SQLite there is one process and one writer, for everybody."""
    with set_up(dialect, orders) as stage:
        results = compete(stage, contenders(stage), rounds=rounds, seconds=seconds)
    title = f"Notifications over HTTP, applied with their event: {dialect}, medians of {rounds}"
    show(title, results, BARE)
    speed, p99 = _medians(results)
    times_flask, of_bare = speed[OURS] / speed[FLASK], speed[OURS] / speed[BARE]
    p99_of_bare = p99[OURS] / p99[BARE]
    figures = f"{times_flask:.1f} x Flask, {of_bare:.2f} x bare, p99 {p99_of_bare:.1f} x bare's"
    if dialect != "postgresql":
        print(f"at {BUSY} connections: {figures}")
        return True
    kept = (
        times_flask >= TIMES_FLASK_MIN and of_bare >= OF_BARE_MIN and p99_of_bare <= P99_OF_BARE_MAX
    )
    print(
        f"promise at {BUSY} connections: at least {TIMES_FLASK_MIN:.0f} x Flask, at least "
        f"{OF_BARE_MIN} x bare, p99 at most {P99_OF_BARE_MAX} x bare's -> {figures}; kept: {kept}"
    )
    return kept


def _medians(results: Results) -> tuple[dict[str, float], dict[str, float]]:
    busy = {name: figures for (name, number), figures in results.items() if number == BUSY}
    speed = {name: statistics.median(figures.per_second) for name, figures in busy.items()}
    p99 = {name: statistics.median(figures.p99) for name, figures in busy.items()}
    return speed, p99
