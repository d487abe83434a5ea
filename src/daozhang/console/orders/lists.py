"""The list of orders: its rows, its tabs, and the columns that a person has chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from daozhang.console.orders.filters import DAYS_OF, Filters
from daozhang.console.orders.views import WAYS
from daozhang.console.paging import CURSOR, Pages, cut, with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.orders.model import Order
from daozhang.service.people import masking
from daozhang.service.search.model import Found
from daozhang.service.web.pagination import write_cursor

COLUMNS_COOKIE: Final = "daozhang_columns"

COLUMNS: Final[Mapping[str, str]] = {
    "way": word("Way of paying"),
    "trade_no": word("Alipay trade number"),
    "buyer": word("Buyer"),
    "paid_at": word("Paid at"),
    "operator_id": word("Operator"),
    "terminal_id": word("Terminal"),
    "store_id": word("Store"),
    "cart_ref": word("Cart"),
}
"""Those that a person may add. Amount, state, subject, number and time are always there."""

USUAL: Final = ("way",)

TABS: Final[Sequence[tuple[str, str]]] = (
    ("", word("All")),
    ("paid", word("Paid")),
    ("waiting", word("Waiting for the buyer")),
    ("created", word("Not opened yet")),
    ("closing", word("Closing")),
    ("closed", word("Closed")),
    ("refunded", word("Refunded in full")),
    ("finished", word("Finished")),
)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A line of the list."""

    address: str
    order: Order
    way: str
    buyer: str | None


@dataclass(frozen=True, slots=True)
class ListView:
    """The list of orders. ``goes_on``: what is older was not looked at yet."""

    path: str
    here: str
    filters: Filters
    tabs: Sequence[tuple[str, str, bool]]
    ways: Sequence[tuple[str, str]]
    days_of: Sequence[tuple[str, str]]
    hours: Sequence[tuple[str, str]]
    columns: Sequence[tuple[str, str]]
    choices: Sequence[tuple[str, str, bool]]
    rows: Sequence[OrderRow]
    pages: Pages
    goes_on: bool


def list_view(visit: Visit, filters: Filters, found: Found) -> ListView:
    """The list of what was found, of which one more than a page holds may have been read."""
    t, path = visit.t, f"{visit.home}/orders"
    fields = {**filters.query(), CURSOR: visit.query.get(CURSOR, "")}
    shown, pages = cut(found.orders, path, fields)
    goes_on = pages.next is None and found.looked_to is not None
    if goes_on and found.looked_to is not None:
        onward = {**filters.query(), CURSOR: write_cursor(found.looked_to)}
        pages = replace(pages, next=with_query(path, onward))
    chosen = chosen_columns(visit.request.cookies.get(COLUMNS_COOKIE))
    return ListView(
        path=path,
        here=visit.address,
        filters=filters,
        tabs=[
            (with_query(path, filters.query(status=value)), t(text), value == filters.status)
            for value, text in TABS
        ],
        ways=[("", t("Any way")), *((way.value, t(text)) for way, text in WAYS.items())],
        days_of=[(value, t(text)) for value, text in DAYS_OF.items()],
        hours=[("", t("Any")), *((str(hour), f"{hour:02}:00") for hour in range(24))],
        columns=[(name, t(COLUMNS[name])) for name in chosen],
        choices=[(name, t(text), name in chosen) for name, text in COLUMNS.items()],
        rows=[_row(visit, path, order) for order in shown],
        pages=pages,
        goes_on=goes_on,
    )


def chosen_columns(cookie: str | None) -> list[str]:
    """The columns that a browser remembers, in their own order; the usual ones if it does not."""
    wanted = USUAL if cookie is None else cookie.split(".")
    return [name for name in COLUMNS if name in wanted]


def _row(visit: Visit, path: str, order: Order) -> OrderRow:
    buyer = None
    if order.payment is not None:
        number = order.payment.buyer_id or order.payment.buyer_open_id
        if order.payment.buyer_logon_id:
            buyer = masking.masked_logon(order.payment.buyer_logon_id)
        elif number:
            buyer = masking.masked_number(number)
    return OrderRow(f"{path}/{order.out_trade_no}", order, visit.t(WAYS[order.way]), buyer)
