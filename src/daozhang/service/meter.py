"""Meter: what a process counts that no table tells, until it is added to the tallies.

What is counted here is in memory, and written every few seconds by a duty (`watch/duties.py`), so
that whichever process is asked for its metrics tells those of all. A process that is killed takes
its last seconds of counts with it; nothing that is counted here is money.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from typing import Final

NOTIFY_ANSWERS: Final = "notify_answers"
"""How notifications were answered, by what was said."""

RECORD_SECONDS: Final = "record_seconds"
"""From the first byte of a notification to its commit."""

APPLY_SECONDS: Final = "apply_seconds"
"""From the commit of a notification to its being applied, for those that were applied later."""

BOUNDS_SECONDS: Final[Mapping[str, tuple[float, ...]]] = {
    RECORD_SECONDS: (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    APPLY_SECONDS: (0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 3600.0, 86400.0),
}
"""The upper bounds of each histogram's buckets; one more has no bound."""

UNBOUNDED: Final = "+Inf"

_LABELS: Final = {name: (*map(str, bounds), UNBOUNDED) for name, bounds in BOUNDS_SECONDS.items()}

SUM: Final = "sum_microseconds"
"""The label under which the sum of what was observed is counted."""

Counts = Mapping[tuple[str, str], int]


class Meter:
    """Counts of one process, by name and label. Made once, in the context; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, name: str, label: str = "", by: int = 1) -> None:
        """Adds ``by`` to a counter."""
        with self._lock:
            self._counts[name, label] += by

    def observe(self, name: str, seconds: float) -> None:
        """Adds one observation to the histogram ``name`` of `BOUNDS_SECONDS`."""
        label = _LABELS[name][bisect_left(BOUNDS_SECONDS[name], seconds)]
        with self._lock:
            self._counts[name, label] += 1
            self._counts[name, SUM] += max(0, round(seconds * 1e6))

    def take(self) -> Counts:
        """What was counted since the last time; whoever takes it writes it, or gives it back."""
        with self._lock:
            taken, self._counts = self._counts, Counter()
        return taken

    def give_back(self, counts: Counts) -> None:
        """Takes counts back that could not be written."""
        with self._lock:
            self._counts.update(counts)
