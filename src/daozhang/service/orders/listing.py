"""Lists of a merchant's orders: a page is found by an index, however large the books are.

A planner that is asked for the newest fifty of few among a million may walk through the million,
newest first. So each filter says here by what it is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.db import Tx
from daozhang.service.orders.model import Order, OrderStatus
from daozhang.service.orders.store import IS_DATED, NOT_PAID, order_of, orders

OUT_OF_ORDER: Final = timedelta(hours=1)
"""How much later than an order with a higher number one may have been created: clocks of processes
differ, and a number is given before the commit."""


def list_orders(
    tx: Tx,
    merchant_id: int,
    *,
    before_id: int | None,
    rows_max: int,
    among: sa.Select[Any] | None = None,
    **filters: Any,
) -> list[Order]:
    """The merchant's orders, newest first, older than ``before_id``.

    Filters: ``status``, ``way``, ``cart_ref``, ``trade_no``, ``created_from`` and
    ``created_before``, ``paid_from`` and ``paid_before``; ``None`` is none. ``among``: a query of the
    only rows that are meant, which are few enough to be sorted.
    """
    given = {name: value for name, value in filters.items() if value is not None}
    if given.keys() & {"paid_from", "paid_before"}:
        among = _paid_between(merchant_id, given)
    query = sa.select(orders).limit(rows_max)
    if among is None and "trade_no" not in given:
        query = query.where(orders.c.merchant_id == merchant_id).order_by(orders.c.id.desc())
    else:
        # Sums, so that nobody walks through all of the merchant's orders, newest first, for a few.
        mine = orders.c.merchant_id + 0 == merchant_id
        query = query.where(mine).order_by((orders.c.id + 0).desc())
    if among is not None:
        narrows = given.keys() - {"paid_from", "paid_before", "way"}
        query = query.where(orders.c.id.in_(_page(among, before_id, None if narrows else rows_max)))
    for name in ("way", "cart_ref", "trade_no"):
        if name in given:
            query = query.where(orders.c[name] == given[name])
    if "status" in given:
        query = query.where(*_has_status(OrderStatus(given["status"])))
    if "created_from" in given:
        least = _first_created_since(tx, given["created_from"] - OUT_OF_ORDER)
        query = query.where(orders.c.created_at >= given["created_from"], orders.c.id >= least)
    if "created_before" in given:
        beyond = _first_created_since(tx, given["created_before"] + OUT_OF_ORDER)
        query = query.where(orders.c.created_at < given["created_before"], orders.c.id < beyond)
    if before_id is not None:
        query = query.where(orders.c.id < before_id)
    return [order_of(row) for row in tx.execute(query).mappings()]


def _has_status(status: OrderStatus) -> list[sa.ColumnElement[bool]]:
    """Written into the statement, where a planner sees that the smaller index will do."""
    is_it = orders.c.status == sa.literal(status.value, literal_execute=True)
    return [is_it] if status is OrderStatus.PAID else [is_it, sa.and_(NOT_PAID)]


def _paid_between(merchant_id: int, given: Mapping[str, Any]) -> sa.Select[Any]:
    """The rows that were paid in that time, from an index that holds all of it."""
    found = sa.select(orders.c.id).where(IS_DATED, orders.c.merchant_id == merchant_id)
    if "paid_from" in given:
        found = found.where(orders.c.paid_at >= given["paid_from"])
    if "paid_before" in given:
        found = found.where(orders.c.paid_at < given["paid_before"])
    return found.where(orders.c.way == given["way"]) if "way" in given else found


def _page(among: sa.Select[Any], before_id: int | None, rows_max: int | None) -> sa.Select[Any]:
    """The newest of ``among``, all of them without ``rows_max``."""
    (number,) = among.subquery().c
    found = sa.select(number).group_by(number)
    if before_id is not None:
        found = found.where(number < before_id)
    return found if rows_max is None else found.order_by((number + 0).desc()).limit(rows_max)


def _first_created_since(tx: Tx, at: datetime) -> int:
    """The lowest number from which on every order was created then or later.

    Orders are numbered as they are created, so it is halved for: twenty rows are read of a million,
    and no index is kept of when each was created.
    """
    least, beyond = 0, (tx.execute(_LAST).scalar() or 0) + 1
    while least < beyond:
        middle = (least + beyond) // 2
        row = tx.execute(_NEXT, {"least": middle}).first()
        if row is None or row.created_at >= at:
            beyond = middle
        else:
            least = row.id + 1
    return least


_LAST: Final = sa.select(sa.func.max(orders.c.id))


_NEXT: Final = (
    sa.select(orders.c.id, orders.c.created_at)
    .where(orders.c.id >= sa.bindparam("least"))
    .order_by(orders.c.id)
    .limit(1)
)
