"""Recording: many waiting notifications share one statement and one commit.

A request hands its arrival over and waits; one thread takes all that wait, writes them in one
transaction and tells each request. A commit costs the same for one row as for fifty, so the
busier it gets, the cheaper each one is. The queue is bounded: when it is full the answer is an
honest "try again", which Alipay does.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from daozhang.service.inbox.model import Arrival
from daozhang.service.inbox.recording import record_arrivals
from daozhang.service.web.context import Context

QUEUE_ARRIVALS_MAX: Final = 2000
BATCH_ARRIVALS_MAX: Final = 100

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
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to write."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Writes what waits, then ends."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    async def record(self, arrival: Arrival) -> None:
        """Returns once ``arrival`` (or the copy of it that was there) is committed.

        Raises `InboxFull` when too many wait, and whatever the database raised.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(arrival, loop, loop.create_future())
        with self._changed:
            if self._stopping or len(self._queue) >= QUEUE_ARRIVALS_MAX:
                raise InboxFull
            self._queue.append(waiting)
            self._changed.notify()
        await waiting.done

    def _run(self) -> None:
        while batch := self._next():
            self._write(batch)
            _tell(batch)

    def _next(self) -> list[_Waiting]:
        """All that wait, up to a batch; nothing once it is time to stop."""
        with self._changed:
            while not self._queue and not self._stopping:
                self._changed.wait()
            return [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_ARRIVALS_MAX))]

    def _write(self, batch: Sequence[_Waiting], *, settles: bool = True) -> None:
        try:
            with self._context.database.begin(in_one_go=True) as tx:
                arrivals = [waiting.arrival for waiting in batch]
                record_arrivals(tx, self._context, arrivals, settles=settles)
        except Exception as error:
            if settles:
                # Alipay's patience must not depend on our rules: recorded now, applied later.
                log.warning("recorded_without_settling", count=len(batch), exc_info=error)
                self._write(batch, settles=False)
            elif len(batch) == 1:
                batch[0].error = error
            else:
                # One row that the database refuses must not take its neighbours with it.
                middle = len(batch) // 2
                self._write(batch[:middle], settles=False)
                self._write(batch[middle:], settles=False)


def _tell(batch: Sequence[_Waiting]) -> None:
    """Tells all requests that wait, each loop with one call."""
    for loop in {waiting.loop for waiting in batch}:
        own = [waiting for waiting in batch if waiting.loop is loop]
        # A loop that has ended has nobody left who waits.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_tell_own, own)


def _tell_own(own: Sequence[_Waiting]) -> None:
    for waiting in own:
        waiting.tell()
