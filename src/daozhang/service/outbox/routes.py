"""All events of a merchant, as a stream for its servers."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.concurrency import run_in_threadpool

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.outbox import store
from daozhang.service.outbox.model import Event
from daozhang.service.outbox.refusals import EventUnknown
from daozhang.service.outbox.rules import HoldBack
from daozhang.service.outbox.streams import (
    RETRY_MILLISECONDS,
    STREAM_IN_OPENAPI,
    EventStream,
    Frame,
)
from daozhang.service.web.context import Context, context_of

START: Final = "start"
"""In place of an event's id: from the first event there is."""

ROWS_MAX: Final = 100

router = APIRouter(prefix="/v1/events", tags=["events"])


@router.get(
    "",
    summary="Follow all events of a merchant",
    response_class=EventStream,
    status_code=200,
    responses=STREAM_IN_OPENAPI,
)
async def get_events(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("events:read"))],
    types: Annotated[
        str | None,
        Query(
            pattern=r"^[a-z_.]{1,64}(,[a-z_.]{1,64}){0,31}$",
            description="Only these, parted by commas: order.paid,refund.succeeded",
        ),
    ] = None,
    last_event_id: Annotated[
        str | None, Query(max_length=64, description='Go on after this event; "start": from all.')
    ] = None,
    last_event_id_header: Annotated[
        str | None, Header(alias="Last-Event-ID", max_length=64)
    ] = None,
) -> EventStream:
    """Every event at least once, in order for each order. For servers: it takes an API key.

    Goes on after `Last-Event-ID` (or `last_event_id`); without one it starts with the next event.
    """
    context = context_of(request)
    asked = last_event_id_header or last_event_id
    position = await run_in_threadpool(_position, context, caller.merchant_id, asked)
    reader = _MerchantReader(
        context, caller.merchant_id, position, frozenset((types or "").split(",")) - {""}
    )
    # An id without data: whoever is cut off before the first event comes back to this place.
    last_id = START if position is None else position.id
    first = Frame(id=last_id, retry=RETRY_MILLISECONDS)
    return EventStream(context.signals, [first], reader)


def _position(context: Context, merchant_id: int, asked: str | None) -> Event | None:
    """The event after which to go on; ``None`` before the first one."""
    if asked == START:
        return None
    with context.database.read() as tx:
        if asked is None:
            return store.last_event(tx, merchant_id)
        event = store.find_event(tx, merchant_id, asked)
    if event is None:
        raise EventUnknown(asked)
    return event


class _MerchantReader:
    """Reads on where it left off."""

    def __init__(
        self, context: Context, merchant_id: int, position: Event | None, types: frozenset[str]
    ) -> None:
        self._context = context
        self._merchant_id = merchant_id
        self._types = types
        self._number = 0 if position is None else position.number
        self._hold_back = HoldBack()

    def __call__(self) -> list[Frame]:
        with self._context.database.read() as tx:
            running_from = store.running_from(tx)
            found = store.list_events_of_merchant(
                tx,
                self._merchant_id,
                after_number=self._number,
                types=self._types,
                rows_max=ROWS_MAX,
            )
            started_before = store.started_before(tx)
        events = self._hold_back.release(
            found, running_from=running_from, started_before=started_before
        )
        if events:
            self._number = events[-1].number
        return [Frame(event=event.type, data=event.envelope(), id=event.id) for event in events]
