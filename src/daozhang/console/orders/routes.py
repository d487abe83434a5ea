"""The pages of orders: parse what is asked, read, render."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from daozhang.console.orders.filters import Filters
from daozhang.console.orders.lists import COLUMNS, COLUMNS_COOKIE, list_view
from daozhang.console.orders.page import OrderForm, show_order
from daozhang.console.pages import page
from daozhang.console.paging import ROWS, before_id, with_query
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.service.db import Tx
from daozhang.service.inbox.raw import NotificationNotFound, read_raw
from daozhang.service.merchants.clients import clients_of
from daozhang.service.orders.listing import list_orders
from daozhang.service.orders.model import Order
from daozhang.service.overview.store import refunded_between
from daozhang.service.people.masking import sees_personal
from daozhang.service.people.model import Right
from daozhang.service.search.actions import find_orders
from daozhang.service.search.model import Found

ROOM = "orders"


@page(Right.ORDERS_READ, f"{ROOM}/orders")
def list_page(visit: Visit) -> Response:
    """The orders of a merchant, newest first; what leads to one order alone leads there at once."""
    filters = Filters.of(visit.query)
    before = before_id(visit.query)
    with visit.context.database.read() as tx:
        if filters.by_other_days:
            found = Found(_by_other_days(tx, visit, filters, before), None)
        else:
            found = find_orders(
                tx, visit.merchant.id, filters.sought, before_id=before, rows_max=ROWS + 1
            )
    is_number = " " not in filters.text and filters == Filters(text=filters.text)
    is_one = len(found.orders) == 1 and found.looked_to is None and before is None
    if filters.text and is_number and is_one and not visit.is_htmx:
        return RedirectResponse(f"{visit.home}/orders/{found.orders[0].out_trade_no}", 303)
    return respond(visit, "orders/list.html", view=list_view(visit, filters, found))


def _by_other_days(tx: Tx, visit: Visit, filters: Filters, before: int | None) -> list[Order]:
    """The orders that were paid, or of which something was refunded, on those days."""
    days, among = {}, None
    if filters.by == "paid":
        days = {"paid_from": filters.since, "paid_before": filters.before}
    else:
        among = refunded_between(visit.merchant.id, filters.since, filters.before)
    return list_orders(
        tx,
        visit.merchant.id,
        before_id=before,
        rows_max=ROWS + 1,
        among=among,
        status=filters.status or None,
        way=filters.way or None,
        **days,
    )


@page(Right.ORDERS_READ, f"{ROOM}/orders")
def choose_columns(visit: Visit) -> Response:
    """Lets the browser remember which columns to show."""
    wanted = ".".join(name for name in COLUMNS if name in visit.form)
    back = with_query(f"{visit.home}/orders", Filters.of(visit.form).query())
    response = RedirectResponse(back, 303)
    response.set_cookie(
        COLUMNS_COOKIE,
        wanted,
        path=visit.base or "/",
        max_age=365 * 24 * 3600,
        samesite="lax",
        httponly=True,
    )
    return response


@page(Right.ORDERS_READ, f"{ROOM}/orders")
def order_page(visit: Visit) -> Response:
    """One order: its facts, its refunds, all that happened to it, and what can be done."""
    return show_order(visit, OrderForm())


@page(Right.NOTIFICATIONS_READ, f"{ROOM}/orders")
def notification_page(visit: Visit) -> Response:
    """A notification about an order, word for word; unmasked if that is asked for by a form."""
    params = visit.request.path_params
    if not params["notification"].isdecimal():
        raise NotificationNotFound
    raw = read_raw(
        visit.context,
        clients_of(visit.request),
        visit.who,
        visit.merchant.id,
        int(params["notification"][:18]),
        unmasked=visit.request.method == "POST",
    )
    if raw.row.out_trade_no != params["out_trade_no"]:
        raise NotificationNotFound
    may_unmask = raw.masked and sees_personal(visit.who)
    return respond(visit, "orders/notification.html", raw=raw, may_unmask=may_unmask)
