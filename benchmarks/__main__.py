"""``make benchmark``: every table in one run. Figures are medians of interleaved rounds.

``python -m benchmarks --quick`` takes fewer rounds, to see that everything runs;
``python -m benchmarks till console`` prints only the tables that are named.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Final

from benchmarks import (
    bills,
    console,
    growth,
    imports,
    notifications,
    signing,
    till,
    verifying,
    webhooks,
)

DATABASES: Final = ("postgresql", "sqlite")


def tables(quick: bool) -> Mapping[str, Callable[[], list[bool]]]:
    """What can be measured, by name; each prints its tables and says which figures were kept."""
    rounds = 3 if quick else 11
    seconds = 0.05 if quick else 0.25
    few = 1 if quick else 5
    each = 1 if quick else 4
    grown = 20_000 if quick else growth.GROWN
    rows = 20_000 if quick else console.ROWS
    notices = 10_000 if quick else 120_000
    later = 20_000 if quick else 150_000
    return {
        "verifying": lambda: [verifying.run(rounds, seconds)],
        "signing": lambda: [signing.run(rounds, seconds * 2)],
        "imports": lambda: [imports.run(7 if quick else 21)],
        "notifications": lambda: [
            notifications.run(dialect, few, each, notices) for dialect in DATABASES
        ],
        "growth": lambda: [growth.run(dialect, few, each, later, grown) for dialect in DATABASES],
        "console": lambda: [
            console.run(dialect, 20 if quick else 100, rows) for dialect in DATABASES
        ],
        "bills": lambda: [
            bills.run(
                1 if quick else 5,
                20_000 if quick else bills.ROWS,
                100_000 if quick else bills.GROWN,
            )
        ],
        "till": lambda: [till.run(few, 20 if quick else 200)],
        "webhooks": lambda: [webhooks.run(few, 1000 if quick else 5000, 3 if quick else 6)],
    }


def main(arguments: list[str]) -> int:
    """Prints the tables; the exit code is 1 if a figure misses what the project promises."""
    quick = "--quick" in arguments
    there = tables(quick)
    named = [name for name in arguments if name != "--quick"] or list(there)
    if unknown := [name for name in named if name not in there]:
        sys.exit(f"no table is called {', '.join(unknown)}; there are {', '.join(there)}")
    print("Rounds are interleaved; the figures are medians.")
    kept = [each for name in named for each in there[name]()]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
