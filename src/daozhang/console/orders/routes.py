"""The pages of orders: parse what is asked, read, render."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from daozhang.console.orders.story import tell
from daozhang.console.orders.views import Filters, list_view, order_view
from daozhang.console.pages import page
from daozhang.console.paging import ROWS, before_id
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.service.db import Tx
from daozhang.service.merchants.model import Merchant
from daozhang.service.orders.actions import read_order
from daozhang.service.orders.listing import list_orders
from daozhang.service.orders.model import Order
from daozhang.service.orders.store import find_order_of_merchant
from daozhang.service.overview.store import refunded_between
from daozhang.service.people.model import Right
from daozhang.service.refunds.store import list_refunds
from daozhang.service.story.actions import tell_order

ROOM = "orders"


@page(Right.ORDERS_READ, f"{ROOM}/orders")
def list_page(visit: Visit) -> Response:
    """The orders of a merchant, newest first; a number searched for leads to its order at once."""
    filters = Filters.of(visit.query)
    with visit.context.database.read() as tx:
        if filters.number:
            rows = _numbered(tx, visit.merchant, filters.number)
        else:
            rows = _listed(tx, visit, filters)
    if filters.number and len(rows) == 1 and not visit.is_htmx:
        return RedirectResponse(f"{visit.home}/orders/{rows[0].out_trade_no}", 303)
    return respond(visit, "orders/list.html", view=list_view(visit, filters, rows))


def _listed(tx: Tx, visit: Visit, filters: Filters) -> list[Order]:
    days, among = {"created_from": filters.since, "created_before": filters.before}, None
    if filters.by == "paid":
        days = {"paid_from": filters.since, "paid_before": filters.before}
    elif filters.by == "refunded":
        days = {}
        among = refunded_between(visit.merchant.id, filters.since, filters.before)
    return list_orders(
        tx,
        visit.merchant.id,
        before_id=before_id(visit.query),
        rows_max=ROWS + 1,
        among=among,
        status=filters.status,
        way=filters.way,
        **days,
    )


def _numbered(tx: Tx, merchant: Merchant, number: str) -> list[Order]:
    ours = find_order_of_merchant(tx, merchant.id, number)
    if ours is not None:
        return [ours]
    return list_orders(tx, merchant.id, before_id=None, rows_max=2, trade_no=number)


@page(Right.ORDERS_READ, f"{ROOM}/orders")
def order_page(visit: Visit) -> Response:
    """One order: its facts, its refunds, and all that happened to it."""
    keep_days = visit.context.settings.retention_notifications_days
    with visit.context.database.read() as tx:
        order = read_order(tx, visit.merchant.id, visit.request.path_params["out_trade_no"])
        refunds = list_refunds(tx, order.id)
        entries = tell_order(tx, order, keep_days).entries
    view = order_view(visit, order, refunds)
    return respond(
        visit, "orders/order.html", view=view, story=tell(visit, order, entries, refunds)
    )
