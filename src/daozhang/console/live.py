"""Live: what tells a page that something it shows has changed. Which part, and never the content.

A page asks for the changed part again by the address from which it was read, so a person sees live
what they may see anyway, and nothing is written twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from daozhang.console.sessions import recognise
from daozhang.service.merchants.store import find_merchant
from daozhang.service.outbox.store import list_heads_after
from daozhang.service.outbox.streams import RETRY_MILLISECONDS, EventStream, Frame
from daozhang.service.web.context import Context, context_of
from daozhang.service.webhooks.store import last_event_number

ROWS_MAX: Final = 500
LOOK_BACK: Final = 64
"""How many events before the latest one are looked at again: on PostgreSQL one with a lower number
can be committed after one with a higher."""


class Changes:
    """Reads on, from the moment at which the page was opened, what changes for one merchant."""

    def __init__(self, context: Context, merchant_id: int) -> None:
        self._context = context
        self._merchant_id = merchant_id
        self._last = 0
        self._told: deque[int] = deque(maxlen=LOOK_BACK + ROWS_MAX)

    def start(self) -> None:
        """From now on."""
        with self._context.database.read() as tx:
            self._last = last_event_number(tx)
            before = list_heads_after(tx, self._last - LOOK_BACK, ROWS_MAX)
        self._told.extend(head.number for head in before)

    def __call__(self) -> Sequence[Frame]:
        with self._context.database.read() as tx:
            heads = list_heads_after(tx, max(self._last - LOOK_BACK, 0), ROWS_MAX)
        new = [head for head in heads if head.number not in self._told]
        self._told.extend(head.number for head in new)
        self._last = max([self._last, *(head.number for head in new)])
        return [
            Frame(
                event="change",
                data={"topic": head.type.partition(".")[0], "type": head.type, "id": head.id},
            )
            for head in new
            if head.merchant_id == self._merchant_id
        ]


async def stream_changes(request: Request) -> Response:
    """The changes of one merchant, for whoever is signed in and works for it."""
    return await run_in_threadpool(_open, request)


def _open(request: Request) -> Response:
    context = context_of(request)
    known = recognise(request, context)
    if known is None:
        # An event source that is told 204 does not come back by itself.
        return Response(status_code=204)
    with context.database.read() as tx:
        merchant = find_merchant(tx, request.query_params.get("merchant", ""))
    if merchant is None or not known.person.covers(merchant.id):
        return Response(status_code=204)
    changes = Changes(context, merchant.id)
    changes.start()
    first = [Frame(event="here", data={}, retry=RETRY_MILLISECONDS)]
    return EventStream(context.signals, first, changes)


ROUTES: Final = [Route("/live", stream_changes)]
