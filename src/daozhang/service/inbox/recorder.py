"""Recording: many waiting notifications share one statement and one commit.

A request hands its arrival over and waits; one thread takes all that wait, writes them in one
transaction and tells each request. A commit costs the same for one row as for fifty, so the
busier it gets, the cheaper each one is. The queue is bounded: when it is full the answer is an
honest "try again", which Alipay does.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

from daozhang.service.db import Tx
from daozhang.service.inbox import store
from daozhang.service.inbox.model import Arrival, InboxStatus
from daozhang.service.inbox.rules import fact_to_json
from daozhang.service.web.context import Context

QUEUE_ARRIVALS_MAX: Final = 2000
BATCH_ARRIVALS_MAX: Final = 100

INBOX_SIGNAL: Final = "inbox"
"""Wakes whoever applies notifications, in this process."""


CONFIRM_SIGNAL: Final = "inbox_confirmations"
"""Wakes whoever asks Alipay about notifications that lack an identity."""


class InboxFull(Exception):
    """More notifications wait than may; Alipay sends this one again."""


class Recorder:
    """Writes arrivals in groups. `record` returns once its arrival is on the disk."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._queue: queue.Queue[tuple[Arrival, Future[None]] | None] = queue.Queue(
            QUEUE_ARRIVALS_MAX
        )
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to write."""
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Writes what waits, then ends."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    async def record(self, arrival: Arrival) -> None:
        """Returns once ``arrival`` (or the copy of it that was there) is committed.

        Raises `InboxFull` when too many wait, and whatever the database raised.
        """
        done: Future[None] = Future()
        try:
            self._queue.put_nowait((arrival, done))
        except queue.Full:
            raise InboxFull from None
        await asyncio.wrap_future(done)

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            batch = [first]
            ends = False
            while len(batch) < BATCH_ARRIVALS_MAX:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    ends = True
                    break
                batch.append(more)
            self._write(batch)
            if ends:
                return

    def _write(self, batch: Sequence[tuple[Arrival, Future[None]]]) -> None:
        try:
            with self._context.database.begin() as tx:
                record_arrivals(tx, self._context, [arrival for arrival, _ in batch])
        except Exception as error:  # noqa: BLE001 - handed to each request that waits, none is lost
            if len(batch) == 1:
                batch[0][1].set_exception(error)
                return
            # One row that the database refuses must not take its neighbours with it.
            middle = len(batch) // 2
            self._write(batch[:middle])
            self._write(batch[middle:])
            return
        for _, done in batch:
            done.set_result(None)


def record_arrivals(tx: Tx, context: Context, arrivals: Sequence[Arrival]) -> None:
    """Writes arrivals, sealed, and wakes whoever applies them once they are on the disk."""
    rows: dict[tuple[int, str, str], dict[str, object]] = {}
    for arrival in arrivals:
        key = (arrival.merchant_id, arrival.notify_id, arrival.content_hash)
        if key in rows:
            copies = rows[key]["copies"]
            assert isinstance(copies, int)
            rows[key]["copies"] = copies + 1
        else:
            rows[key] = _row_of(context, arrival)
    store.insert_or_count(tx, list(rows.values()))
    tx.after_commit(lambda: context.signals.wake(INBOX_SIGNAL))
    if any(arrival.needs_confirmation for arrival in arrivals):
        tx.after_commit(lambda: context.signals.wake(CONFIRM_SIGNAL))


def sealed_to(arrival: Arrival) -> str:
    """What a raw notification is sealed to: its own row, and no other."""
    return f"notification:{arrival.merchant_id}:{arrival.notify_id}:{arrival.content_hash}"


def _row_of(context: Context, arrival: Arrival) -> dict[str, object]:
    status = InboxStatus.RECEIVED
    if arrival.fact is None and not arrival.is_about_trade:
        status = InboxStatus.KEPT
    elif arrival.needs_confirmation:
        status = InboxStatus.CONFIRMING
    return {
        "merchant_id": arrival.merchant_id,
        "notify_id": arrival.notify_id,
        "content_hash": arrival.content_hash,
        "out_trade_no": arrival.out_trade_no,
        "kind": arrival.kind,
        "status": status.value,
        "fact": None if arrival.fact is None else fact_to_json(arrival.fact),
        "body_sealed": context.sealer.seal(arrival.body, sealed_to(arrival)),
        "copies": 1,
        "attempts": 0,
        "due_at": None if status is InboxStatus.KEPT else arrival.received_at,
        "received_at": arrival.received_at,
        "outcome": "kind is kept, not acted on" if status is InboxStatus.KEPT else None,
    }
