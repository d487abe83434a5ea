"""What is on its way to merchants: every notification there was, and which is due next."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from datetime import datetime

from daozhang.emulator.notifier import Notification


@dataclass(slots=True)
class Outgoing:
    """All notifications. Not safe for threads by itself; its owner holds a lock.

    They are kept in a heap by when they are due, so that looking for the next one costs the same
    with ten thousand behind it as with one.
    """

    _all: list[Notification] = field(default_factory=list[Notification])
    _of_number: dict[str, list[Notification]] = field(default_factory=dict[str, list[Notification]])
    _due: list[tuple[datetime, int, Notification]] = field(
        default_factory=list[tuple[datetime, int, Notification]]
    )
    _counter: itertools.count[int] = field(default_factory=itertools.count)

    def add(self, notification: Notification) -> None:
        """A new notification; it is sent when it is due, never if that is None."""
        self._all.append(notification)
        self._of_number.setdefault(notification.out_trade_no, []).append(notification)
        self.schedule(notification, notification.due_at)

    def schedule(self, notification: Notification, due_at: datetime | None) -> None:
        """Says when the next round of ``notification`` is due; None for never."""
        notification.due_at = due_at
        if due_at is not None:
            heapq.heappush(self._due, (due_at, next(self._counter), notification))

    def take_due(self, now: datetime) -> list[Notification]:
        """Hands out what is due, the longest due first; it is not due any more then."""
        taken: list[Notification] = []
        while self._due and self._due[0][0] <= now:
            notification = heapq.heappop(self._due)[2]
            notification.due_at = None
            taken.append(notification)
        return taken

    def next_due(self) -> datetime | None:
        """When the next of them is due, if any is."""
        return self._due[0][0] if self._due else None

    def list_of(self, out_trade_no: str | None) -> list[Notification]:
        """The notifications, of one number or all, oldest first."""
        return list(self._all if out_trade_no is None else self._of_number.get(out_trade_no, ()))

    def clear(self) -> None:
        """Forgets every notification."""
        self._all.clear()
        self._of_number.clear()
        self._due.clear()
