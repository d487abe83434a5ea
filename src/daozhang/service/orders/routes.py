"""Orders over HTTP: create, read and list."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.merchants.clients import clients_of
from daozhang.service.orders.actions import create_order, read_order
from daozhang.service.orders.listing import list_orders
from daozhang.service.orders.model import NewOrder, Order, OrderStatus, Way
from daozhang.service.orders.options import PayOptions
from daozhang.service.orders.refusals import ExpiryOutOfRange
from daozhang.service.orders.views import OrderIn, OrderOut, OrderPage
from daozhang.service.orders.watching import WATCH_PURPOSE
from daozhang.service.web.context import Context, context_of
from daozhang.service.web.idempotency import answer_once
from daozhang.service.web.pagination import read_cursor, write_cursor
from daozhang.service.web.problem import amount_of

PAY_PURPOSE: Final = "pay"

WATCH_AFTER_EXPIRY_SECONDS: Final = 24 * 3600
"""How long after its order's expiry a watch token still reads."""

PAGE_ROWS_MAX: Final = 100

OPENED_BY_ADDRESS: Final = frozenset({Way.PAGE, Way.WAP})
"""What a browser pays; an app is given an order string instead."""

router = APIRouter(prefix="/v1/orders", tags=["orders"])

Reader = Annotated[Caller, Depends(caller_with("orders:read"))]
Writer = Annotated[Caller, Depends(caller_with("orders:write"))]


@router.post("", status_code=201, summary="Create an order")
def post_order(request: Request, caller: Writer, wanted: OrderIn) -> Response:
    """Creates an order, or gives back the one of that number and content.

    Idempotent by `out_trade_no`, and by `Idempotency-Key` if one is sent.
    """
    context = context_of(request)

    def create() -> tuple[int, OrderOut]:
        now = context.clock.now()
        new = _new_order(wanted, context)
        merchant = clients_of(request).merchant(caller.merchant_id)
        with context.database.begin() as tx:
            order, is_new = create_order(tx, merchant, new, now)
            tx.after_commit(lambda: context.signals.wake("inbox_waiting"))
        return (201 if is_new else 200), render(context, order, merchant.slug)

    return answer_once(request, caller, create)


def _new_order(wanted: OrderIn, context: Context) -> NewOrder:
    settings = context.settings
    try:
        expires_at = wanted.expiry(context.clock.now(), settings.order_expiry_seconds)
    except ValueError as error:
        raise ExpiryOutOfRange(str(error)) from None
    return NewOrder(
        out_trade_no=wanted.out_trade_no,
        amount=amount_of(wanted.amount, wanted.currency),
        subject=wanted.subject,
        expires_at=expires_at,
        body=wanted.body,
        cart_ref=wanted.cart_ref,
        operator_id=wanted.operator_id,
        terminal_id=wanted.terminal_id,
        store_id=wanted.store_id,
        return_url=wanted.return_url,
        passback=wanted.passback,
        way=Way(wanted.way),
        pay_options=_chosen(wanted.pay_options),
        metadata=wanted.metadata,
        share_plan=wanted.share_plan,
    )


def _chosen(options: PayOptions | None) -> PayOptions | None:
    """``options``, or nothing if they choose nothing."""
    return options if options is not None and options.kept() else None


@router.get("/{out_trade_no}", response_model=OrderOut, summary="Read an order")
def get_order(request: Request, caller: Reader, out_trade_no: str) -> OrderOut:
    """The order as it stands now. Another merchant's order is a 404."""
    context = context_of(request)
    with context.database.read() as tx:
        order = read_order(tx, caller.merchant_id, out_trade_no)
    return render(context, order, caller.merchant_slug)


@router.get("", response_model=OrderPage, summary="List orders")
def get_orders(
    request: Request,
    caller: Reader,
    status: OrderStatus | None = None,
    cart_ref: str | None = None,
    created_from: AwareDatetime | None = None,
    created_before: AwareDatetime | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = 20,
    cursor: str | None = None,
) -> OrderPage:
    """The merchant's orders, newest first, a page at a time."""
    context = context_of(request)
    before_id = None if cursor is None else read_cursor(cursor)
    with context.database.read() as tx:
        orders = list_orders(
            tx,
            caller.merchant_id,
            before_id=before_id,
            rows_max=limit + 1,
            status=None if status is None else status.value,
            cart_ref=cart_ref,
            created_from=created_from,
            created_before=created_before,
        )
    more = len(orders) > limit
    page = orders[:limit]
    return OrderPage(
        environment=caller.environment,
        data=[render(context, order, caller.merchant_slug) for order in page],
        next_cursor=write_cursor(page[-1].id) if more else None,
    )


def render(context: Context, order: Order, merchant_slug: str) -> OrderOut:
    """``order`` for the API, with the addresses that are of use in its state."""
    base = context.settings.public_url
    open_to_pay = order.way in OPENED_BY_ADDRESS and order.status in (
        OrderStatus.CREATED,
        OrderStatus.WAITING,
    )
    watch_until = order.expires_at + timedelta(seconds=WATCH_AFTER_EXPIRY_SECONDS)
    watch = context.sealer.sign_token(WATCH_PURPOSE, {"order_id": order.id}, watch_until)
    pay = context.sealer.sign_token(PAY_PURPOSE, {"order_id": order.id}, watch_until)
    return OrderOut.of(
        order,
        merchant_slug,
        pay_url=f"{base}/pay/{pay}" if open_to_pay else None,
        watch_token=watch,
        watch_url=f"{base}/v1/watch/{watch}",
    )
