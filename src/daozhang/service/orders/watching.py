"""One order as a stream, for the shop's page: read-only, by a token that expires.

The page gets the order's state at once and again with each event, always in the same shape, and
nothing that is only for the merchant: no metadata, no passback, no buyer, no surprise.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool

from daozhang.service.db import Tx
from daozhang.service.orders.model import Order
from daozhang.service.orders.store import find_order_by_id
from daozhang.service.outbox import store
from daozhang.service.outbox.model import API_VERSION
from daozhang.service.outbox.streams import (
    RETRY_MILLISECONDS,
    STREAM_IN_OPENAPI,
    EventStream,
    Frame,
)
from daozhang.service.refusals import Refusal
from daozhang.service.seal import TokenRefused
from daozhang.service.web.context import Context, context_of

WATCH_PURPOSE: Final = "watch"
"""What a watch token is signed for."""

STATE: Final = "order.state"
"""The first message of a watch: where the order stands now."""

FOR_THE_MERCHANT_ONLY: Final = frozenset(
    {"order.surprise", "order.surprise_resolved", "order.duplicate_payment"}
)
"""Events that a buyer's page is not told."""

router = APIRouter(prefix="/v1/watch", tags=["events"])


class WatchTokenInvalid(Refusal):
    """The token is none of ours, or its time is over."""

    code: ClassVar[str] = "watch_token_invalid"
    status: ClassVar[int] = 401
    title: ClassVar[str] = "The watch token is not valid"

    def __init__(self, *, expired: bool) -> None:
        super().__init__(
            "The watch token has expired: read the order again for a new one."
            if expired
            else "This is not a watch token of this service: use watch_url as the order gives it.",
            "watch_token 已过期, 请重新查询订单获取." if expired else "watch_token 无效.",
        )


@router.get(
    "/{watch_token}",
    summary="Watch one order",
    response_class=EventStream,
    status_code=200,
    responses=STREAM_IN_OPENAPI,
)
async def watch_order(
    request: Request,
    watch_token: str,
    last_event_id: Annotated[str | None, Query(max_length=64)] = None,
    last_event_id_header: Annotated[
        str | None, Header(alias="Last-Event-ID", max_length=64)
    ] = None,
) -> EventStream:
    """The order's state now, then with each event that follows. For `EventSource` in a page.

    The page's origin must be in `DAOZHANG_CORS_ORIGINS`. Goes on after `Last-Event-ID`.
    """
    context = context_of(request)
    try:
        order_id = context.sealer.read_token(WATCH_PURPOSE, watch_token, context.clock.now())[
            "order_id"
        ]
    except TokenRefused as refused:
        raise WatchTokenInvalid(expired=refused.expired) from None
    reader = _OrderReader(context, int(order_id))
    first = await run_in_threadpool(reader.start, last_event_id_header or last_event_id)
    return EventStream(context.signals, first, reader)


class _OrderReader:
    """Reads an order's events on where it left off; each goes out with the state of the order."""

    def __init__(self, context: Context, order_id: int) -> None:
        self._context = context
        self._order_id = order_id
        self._sequence = 0

    def start(self, last_event_id: str | None) -> list[Frame]:
        """The state now, after the events that the page missed if it says which it had."""
        with self._context.database.read() as tx:
            order = _read(tx, self._order_id)
            events = store.list_events_of_order(tx, order.id)
        had = next((event.sequence for event in events if event.id == last_event_id), None)
        last = events[-1] if events else None
        self._sequence = (last.sequence or 0) if last is not None and had is None else had or 0
        state: dict[str, Any] = {
            "object": "event",
            "type": STATE,
            "api_version": API_VERSION,
            "environment": order.environment,
            "created_at": order.updated_at.isoformat(),
            "sequence": self._sequence,
            "data": public_view(order),
        }
        # The id is that of the last event whose effect the page has seen, so none is missed.
        seen = next((event.id for event in events if event.sequence == self._sequence), None)
        return [Frame(event=STATE, data=state, id=seen, retry=RETRY_MILLISECONDS)]

    def __call__(self) -> list[Frame]:
        with self._context.database.read() as tx:
            events = store.list_events_of_order(tx, self._order_id, after_sequence=self._sequence)
            if not events:
                return []
            view = public_view(_read(tx, self._order_id))
        self._sequence = events[-1].sequence or self._sequence
        return [
            Frame(event=event.type, data=event.envelope(view), id=event.id)
            for event in events
            if event.type not in FOR_THE_MERCHANT_ONLY
        ]


def public_view(order: Order) -> dict[str, Any]:
    """What a buyer may see of an order. Amounts are text, times RFC 3339."""
    paid_at = order.payment.paid_at if order.payment is not None else None
    return {
        "out_trade_no": order.out_trade_no,
        "status": order.status.value,
        "amount": str(order.amount),
        "currency": order.amount.currency,
        "refunded_amount": str(order.refunded),
        "subject": order.subject,
        "paid_at": None if paid_at is None else paid_at.isoformat(),
        "expires_at": order.expires_at.isoformat(),
    }


def _read(tx: Tx, order_id: int) -> Order:
    order = find_order_by_id(tx, order_id)
    assert order is not None, f"order row {order_id} is gone, and orders are never deleted"
    return order
