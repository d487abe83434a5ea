"""Which events may be sent on: none before an older one that is still on its way.

On PostgreSQL numbers are given before the commit, so number 8 can be seen while 7 is not yet.
A reader that went on from 8 would never see 7. So an event is held back until every transaction
that was running when it was first seen has ended: whoever holds a lower number was among them,
because a writer has locked its order (and so has its transaction id) before it takes a number.
SQLite has one writer at a time; there both horizons are 0 and nothing ever waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol, TypeVar


class Numbered(Protocol):
    """What has an event's number."""

    @property
    def number(self) -> int: ...


_Event = TypeVar("_Event", bound=Numbered)


class HoldBack:
    """Remembers up to where a stream may read. One for each stream."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque()
        self._settled = 0

    def release(
        self, events: Sequence[_Event], *, running_from: int, started_before: int
    ) -> list[_Event]:
        """Those of ``events`` (in order of number) that nothing older can still precede.

        ``running_from`` is the oldest transaction still running, read before the events;
        ``started_before`` is the next transaction to start, read after them.
        """
        newest = events[-1].number if events else 0
        if newest > (self._seen[-1][0] if self._seen else self._settled):
            self._seen.append((newest, started_before))
        while self._seen and self._seen[0][1] <= running_from:
            self._settled = self._seen.popleft()[0]
        return [event for event in events if event.number <= self._settled]
