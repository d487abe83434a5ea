"""Recording: many waiting notifications share one statement and one commit.

A request hands its arrival over and waits; one thread takes all that wait, writes them in one
transaction and tells each request. A commit costs the same for one row as for fifty, so the
busier it gets, the cheaper each one is. The queue is bounded: when it is full the answer is an
honest "try again", which Alipay does.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Final

import structlog

from daozhang.service.inbox.model import Arrival
from daozhang.service.inbox.recording import record_arrivals
from daozhang.service.web.context import Context

QUEUE_ARRIVALS_MAX: Final = 2000
GROUP_ARRIVALS_MAX: Final = 100

BREATH_SECONDS: Final = 0.002
"""How long the first of a group waits for others to come. Without it a group is written as soon
as one is there, and the loop that reads the others has to wait for it: groups half as large, and
a fifth fewer a second."""

log = structlog.get_logger(__name__)


class InboxFull(Exception):
    """More notifications wait than may; Alipay sends this one again."""


@dataclass(slots=True)
class _Waiting:
    """An arrival, and the request that waits for it in its event loop."""

    arrival: Arrival
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]
    error: BaseException | None = None

    def tell(self) -> None:
        """Ends the wait. In the loop of the request; one that has hung up needs no answer."""
        if self.done.done():
            return
        if self.error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(self.error)


class Recorder:
    """Writes arrivals in groups. `record` returns once its arrival is on the disk."""

    def __init__(self, context: Context) -> None:
        self._context = context
        # None in the queue: nobody comes after this.
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._stopping = self._ended = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to write."""
        self._stopping = self._ended = False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Writes what waits, then ends."""
        self._stopping = True
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    async def record(self, arrival: Arrival) -> None:
        """Returns once ``arrival`` (or the copy of it that was there) is committed.

        Raises `InboxFull` when too many wait, and whatever the database raised.
        """
        if self._stopping or self._queue.qsize() >= QUEUE_ARRIVALS_MAX:
            raise InboxFull
        loop = asyncio.get_running_loop()
        waiting = _Waiting(arrival, loop, loop.create_future())
        self._queue.put(waiting)
        await waiting.done

    def _run(self) -> None:
        while not self._ended or not self._queue.empty():
            if group := self._next():
                self._write(group)
                _tell(group)

    def _next(self) -> list[_Waiting]:
        """All that wait, up to a group; maybe nobody, when it is time to stop."""
        group: list[_Waiting] = []
        waiting = self._queue.get()
        if waiting is not None:
            time.sleep(BREATH_SECONDS)
        while True:
            if waiting is None:
                self._ended = True
            else:
                group.append(waiting)
            if len(group) == GROUP_ARRIVALS_MAX or self._queue.empty():
                return group
            waiting = self._queue.get()

    def _write(self, group: Sequence[_Waiting], *, settles: bool = True) -> None:
        try:
            with self._context.database.begin(in_one_go=True) as tx:
                arrivals = [waiting.arrival for waiting in group]
                record_arrivals(tx, self._context, arrivals, settles=settles)
        except Exception as error:
            if settles:
                # Alipay's patience must not depend on our rules: recorded now, applied later.
                log.warning("recorded_without_settling", count=len(group), exc_info=error)
                self._write(group, settles=False)
            elif len(group) == 1:
                group[0].error = error
            else:
                # One row that the database refuses must not take its neighbours with it.
                middle = len(group) // 2
                self._write(group[:middle], settles=False)
                self._write(group[middle:], settles=False)


def _tell(group: Sequence[_Waiting]) -> None:
    """Tells all requests that wait, each loop with one call."""
    for loop in {waiting.loop for waiting in group}:
        own = [waiting for waiting in group if waiting.loop is loop]
        # A loop that has ended has nobody left who waits.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_tell_own, own)


def _tell_own(own: Sequence[_Waiting]) -> None:
    for waiting in own:
        waiting.tell()
