"""``make benchmark``: every table in one run. Figures are medians of interleaved rounds.

``python -m benchmarks --quick`` takes fewer rounds, to see that everything runs.
"""

from __future__ import annotations

import sys

from benchmarks import console, growth, imports, notifications, signing, till, verifying, webhooks


def main(arguments: list[str]) -> int:
    """Prints the tables; the exit code is 1 if a figure misses what the project promises."""
    quick = "--quick" in arguments
    rounds = 3 if quick else 11
    seconds = 0.05 if quick else 0.25
    few = 1 if quick else 5
    grown = 20_000 if quick else growth.GROWN
    print(f"{rounds} rounds, interleaved, medians.")
    kept = [
        verifying.run(rounds, seconds),
        signing.run(rounds, seconds * 2),
        imports.run(7 if quick else 21),
        *[
            notifications.run(dialect, few, 1 if quick else 4, 10_000 if quick else 120_000)
            for dialect in ("postgresql", "sqlite")
        ],
        *[
            growth.run(dialect, few, 1 if quick else 4, 20_000 if quick else 150_000, grown)
            for dialect in ("postgresql", "sqlite")
        ],
        *[
            console.run(dialect, 20 if quick else 100, 20_000 if quick else console.ROWS)
            for dialect in ("postgresql", "sqlite")
        ],
        till.run(few, 20 if quick else 200),
        webhooks.run(few, 1000 if quick else 5000, 3 if quick else 6),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
