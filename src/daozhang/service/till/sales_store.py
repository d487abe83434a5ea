"""What was sold at a till, as rows: found again, and counted for a hand-over. No rows of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.orders.model import Order, OrderStatus, Way
from daozhang.service.orders.store import order_of, orders
from daozhang.service.refunds.model import RefundOrigin, RefundStatus
from daozhang.service.refunds.store import refunds
from daozhang.service.shifts.store import shift_orders

_COUNT: Final = sa.func.count().label("number")


def find_sales(
    tx: Tx,
    merchant_id: int,
    *,
    since: datetime,
    rows_max: int,
    amount: Money | None = None,
    shift_id: int | None = None,
) -> list[Order]:
    """Orders since then, newest first: of that amount, or of that shift."""
    wanted = sa.select(orders).where(
        orders.c.merchant_id == merchant_id, orders.c.created_at >= since
    )
    if amount is not None:
        wanted = wanted.where(
            orders.c.amount_minor == amount.minor, orders.c.currency == amount.currency
        )
    if shift_id is not None:
        wanted = wanted.join(shift_orders, shift_orders.c.order_id == orders.c.id).where(
            shift_orders.c.shift_id == shift_id
        )
    rows = tx.execute(wanted.order_by(orders.c.id.desc()).limit(rows_max)).mappings()
    return [order_of(row) for row in rows]


def sum_orders_of_shift(tx: Tx, shift_id: int) -> list[tuple[Way, OrderStatus, int, Money]]:
    """How many orders of a shift stand where, by way, and what they come to."""
    c = orders.c
    counted = (
        sa.select(c.way, c.status, c.currency, _COUNT, sa.func.sum(c.amount_minor).label("minor"))
        .join(shift_orders, shift_orders.c.order_id == c.id)
        .where(shift_orders.c.shift_id == shift_id)
        .group_by(c.way, c.status, c.currency)
        .order_by(c.way, c.status)
    )
    return [
        (Way(row.way), OrderStatus(row.status), row.number, Money(int(row.minor), row.currency))
        for row in tx.execute(counted)
    ]


def sum_refunds_of_shift(tx: Tx, shift_id: int) -> list[tuple[RefundStatus, int, Money]]:
    """How many refunds of a shift stand where, and what they come to: those asked for in it, and
    what a cancel gave back of a payment begun in it."""
    c = refunds.c
    begun = sa.select(shift_orders.c.order_id).where(shift_orders.c.shift_id == shift_id)
    by_cancel = sa.and_(c.origin == RefundOrigin.CANCEL.value, c.order_id.in_(begun))
    counted = (
        sa.select(c.status, c.currency, _COUNT, sa.func.sum(c.amount_minor).label("minor"))
        .where(sa.or_(c.shift_id == shift_id, by_cancel))
        .group_by(c.status, c.currency)
        .order_by(c.status)
    )
    return [
        (RefundStatus(row.status), row.number, Money(int(row.minor), row.currency))
        for row in tx.execute(counted)
    ]
