"""Live: what tells a page that something it shows has changed. Which part, and never the content.

A page asks for the changed part again by the address from which it was read, so a person sees live
what they may see anyway, and nothing is written twice.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Collection, Sequence
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from daozhang.console.sessions import recognise
from daozhang.service.approvals.store import state_of_pending
from daozhang.service.db import Tx
from daozhang.service.merchants.store import list_merchants
from daozhang.service.outbox.store import last_event, list_heads_after
from daozhang.service.outbox.streams import RETRY_MILLISECONDS, EventStream, Frame
from daozhang.service.web.context import Context, context_of
from daozhang.service.webhooks.store import last_event_number, state_of_sending

ROWS_MAX: Final = 500
LOOK_BACK: Final = 64
"""How many events before the latest one are looked at again: on PostgreSQL one with a lower number
can be committed after one with a higher."""


class Changes:
    """Reads on, from the moment at which the page was opened, what changes for some merchants."""

    def __init__(self, context: Context, merchant_ids: Collection[int]) -> None:
        self._context = context
        self._merchant_ids = merchant_ids
        # What changes without an event stands on the pages of one merchant only.
        self._marked = next(iter(merchant_ids)) if len(merchant_ids) == 1 else None
        self._last = 0
        self._told: deque[int] = deque(maxlen=LOOK_BACK + ROWS_MAX)
        self._marks: dict[str, object] = {}

    def start(self) -> str:
        """From now on; how all of one merchant stands now, as `standing_of` tells it."""
        with self._context.database.read() as tx:
            self._last = last_event_number(tx)
            before = list_heads_after(tx, self._last - LOOK_BACK, ROWS_MAX)
            self._marks = self._read_marks(tx)
            standing = "" if self._marked is None else standing_of(tx, self._marked)
        self._told.extend(head.number for head in before)
        return standing

    def __call__(self) -> Sequence[Frame]:
        with self._context.database.read() as tx:
            heads = list_heads_after(tx, max(self._last - LOOK_BACK, 0), ROWS_MAX)
            marks = self._read_marks(tx)
        new = [head for head in heads if head.number not in self._told]
        self._told.extend(head.number for head in new)
        self._last = max([self._last, *(head.number for head in new)])
        frames = [
            Frame(
                event="change",
                data={"topic": head.type.partition(".")[0], "type": head.type, "id": head.id},
            )
            for head in new
            if head.merchant_id in self._merchant_ids
        ]
        for topic, mark in marks.items():
            if mark != self._marks[topic]:
                frames.append(_change(topic))
        self._marks = marks
        return frames

    def _read_marks(self, tx: Tx) -> dict[str, object]:
        return {} if self._marked is None else _read_marks(tx, self._marked)


def standing_of(tx: Tx, merchant_id: int) -> str:
    """How all that is live stands for a merchant: another text once something has changed.

    A page keeps the one of the moment before it was read, and the stream compares: what changes
    between the page and its stream is not lost.
    """
    event = last_event(tx, merchant_id)
    all_of_it = (None if event is None else event.number, _read_marks(tx, merchant_id))
    return hashlib.sha256(repr(all_of_it).encode()).hexdigest()[:16]


def _read_marks(tx: Tx, merchant_id: int) -> dict[str, object]:
    """What changes without an event, since nobody outside is told of it."""
    return {
        "approval": state_of_pending(tx, merchant_id),
        "delivery": state_of_sending(tx, merchant_id),
    }


def _change(topic: str) -> Frame:
    """Something of ``topic`` has changed; without one, anything may have."""
    return Frame(event="change", data={"topic": topic, "type": "", "id": ""})


async def stream_changes(request: Request) -> Response:
    """The changes of one merchant, or without one of all, for whoever is signed in and works for them."""
    return await run_in_threadpool(_open, request)


def _open(request: Request) -> Response:
    context = context_of(request)
    known = recognise(request, context)
    if known is None:
        # An event source that is told 204 does not come back by itself.
        return Response(status_code=204)
    slug = request.query_params.get("merchant")
    with context.database.read() as tx:
        every = list_merchants(tx)
    covered = frozenset(
        one.id for one in every if known.person.covers(one.id) and slug in (None, one.slug)
    )
    if not covered:
        return Response(status_code=204)
    changes = Changes(context, covered)
    first = [Frame(event="here", data={}, retry=RETRY_MILLISECONDS)]
    if changes.start() != request.query_params.get("standing", ""):
        first.append(_change(""))
    return EventStream(context.signals, first, changes)


ROUTES: Final = [Route("/live", stream_changes)]
