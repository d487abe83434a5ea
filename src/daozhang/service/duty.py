"""Duty: what runs later, by our Clock. A worker calls it; a manual clock can push it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Duty(Protocol):
    """Something that becomes due: a sweep over an indexed column of ours.

    A duty may run in several processes at once: it claims rows before it works on them, and
    whatever it does to a row can be done twice. Its ``name`` stands in logs and metrics, and is
    the signal that wakes it.
    """

    name: str

    rest_seconds: float = 0.0
    """How long its thread rests between two rounds, however often it is woken: what is cheaper
    for many at once than for each commit."""

    is_awaited: bool = False
    """Whether somebody waits for it: what another process leaves to be done is then found within
    a second. Its `next_due` is asked that often, and has to be cheap."""

    knows_no_time: bool = False
    """Whether nothing tells when there is something to do: its `next_due` is never any moment, and it
    is run whenever a worker looks."""

    def run_due(self) -> int:
        """Does one bounded batch of what is due now; returns how many units, 0 if none."""
        ...

    def next_due(self) -> datetime | None:
        """The earliest moment at which there will be something to do, None if nothing waits."""
        ...
