"""Pairing: a million lines of payments beside a million orders, down to those that may differ.

Each database by the join that it is good at; both leave the same rows in `odd`, and say whether the
bill names an order more than once. What agrees is never looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from daozhang.service.orders.store import orders
from daozhang.service.reconciliation.rules import RECEIVED
from daozhang.service.reconciliation.workbench import (
    Bench,
    matched,
    odd,
    place_of_line,
    trade_lines,
)

_line: Final = trade_lines.c
_is_payment: Final = _line.refund.is_(False)
receipt_of_order: Final = sa.cast(orders.c.payment["receipt"].as_string(), sa.BigInteger)


@dataclass(frozen=True, slots=True)
class Day:
    """What is compared: the books of an Alipay account, and from when until when."""

    environment: str
    seller_id: str
    day: date
    since: datetime
    until: datetime
    fee_ppm: int
    merchants: Sequence[int]
    """Whose money goes to the account."""


def pair_payments(bench: Bench, day: Day, line_count: int) -> bool:
    """Lays into `odd` what may differ of ``line_count`` lines; whether an order is named repeatedly."""
    repeated = (_full_join if bench.is_postgresql else _by_index)(bench, day, line_count)
    bench.counted(odd)
    return repeated


def _full_join(bench: Bench, day: Day, line_count: int) -> bool:
    """One hash join of the lines with the orders of the day; for what is left over, the others."""
    o = orders.c
    columns = (o.id, o.out_trade_no, o.trade_no, o.status, o.amount_minor)
    theirs = (
        sa.select(*columns, receipt_of_order.label("receipt"))
        .where(*_was_paid_on(day))
        # A bound to what the planner may merge: so other processes read the orders, and look into their JSON.
        .offset(sa.literal_column("0"))
        .subquery("orders_of_day")
    )
    lines = (
        sa.select(trade_lines, place_of_line.label("place")).where(_is_payment).subquery("payments")
    )
    agrees = sa.and_(
        theirs.c.trade_no == lines.c.trade_no, _agree(lines.c, theirs.c, theirs.c.receipt, day)
    )
    found = (
        sa.select(lines.c.number, theirs.c.id.label("order_id"), lines.c.place)
        .select_from(lines.join(theirs, theirs.c.out_trade_no == lines.c.out_trade_no, full=True))
        .where(sa.not_(sa.func.coalesce(agrees, sa.false())))
    )
    bench.lay_out_found(odd, found)
    bench.counted(odd)
    nameless, unbilled = (
        bench.connection.execute(sa.select(sa.func.count()).where(column.is_(None))).scalar_one()
        for column in (odd.c.order_id, odd.c.number)
    )
    of_day = sa.select(sa.func.count()).select_from(orders).where(*_was_paid_on(day))
    order_count = bench.connection.execute(of_day).scalar_one()
    if nameless:
        bench.connection.execute(
            sa.update(odd)
            .values(order_id=o.id)
            .where(odd.c.order_id.is_(None), bench.is_line_of_odd(), is_order_of(day))
        )
    twice = (
        sa.select(odd.c.order_id)
        .where(odd.c.number.is_not(None), odd.c.order_id.is_not(None))
        .group_by(odd.c.order_id)
        .having(sa.func.count() > 1)
    )
    if line_count - nameless != order_count - unbilled:
        return True
    return bool(bench.connection.execute(sa.select(sa.exists(twice))).scalar_one())


def _by_index(bench: Bench, day: Day, line_count: int) -> bool:
    """Each line's order by an index of orders; `matched` holds what was found, once each."""
    o = orders.c
    bench.lay_out(odd)
    bench.lay_out(matched)
    receipt = o.payment["receipt"].as_integer()  # of 64 bits here, and nothing has to be cast
    agrees = sa.and_(_agree(_line, o, receipt, day), o.paid_at >= day.since, o.paid_at < day.until)
    # Alipay's numbers come in the order of time, as lines do, and are found in half the time.
    by_trade_no = sa.and_(
        o.trade_no == _line.trade_no,
        _not_looked_up(o.environment) == day.environment,
        o.seller_id == day.seller_id,
        o.out_trade_no == _line.out_trade_no,
    )
    named = orders.alias("named")
    by_own_number = sa.select(named.c.id).where(is_order_of(day, named.c)).scalar_subquery()
    found = (
        sa.select(
            sa.func.coalesce(o.id, by_own_number, -_line.number),
            _line.number,
            sa.not_(sa.func.coalesce(agrees, sa.false())),
        )
        .select_from(trade_lines.outerjoin(orders, by_trade_no))
        .where(_is_payment)
    )
    _insert(bench, matched, found, prefix="OR IGNORE")
    m = matched.c
    order_id = sa.case((m.order_id > 0, m.order_id))
    nowhere = sa.null()
    _insert(bench, odd, sa.select(m.number, order_id, nowhere).where(m.odd.is_(True)))
    # Whose day and merchant it is the index tells; whose account, only the orders themselves.
    left_over = sa.select(o.id).where(*_is_of_day(day), ~sa.exists().where(m.order_id == o.id))
    unbilled = sa.select(sa.null(), o.id, nowhere).where(o.id.in_(left_over), *_is_of_account(day))
    _insert(bench, odd, unbilled)
    once = bench.connection.execute(sa.select(sa.func.count()).select_from(matched)).scalar_one()
    if once == line_count:
        return False
    again = sa.select(_line.number, o.id, nowhere).select_from(
        trade_lines.join(orders, is_order_of(day))
    )
    is_first = sa.exists().where(m.order_id == o.id, m.number == _line.number)
    odd_again = again.where(_is_payment, sa.not_(sa.func.coalesce(agrees, sa.false())), ~is_first)
    _insert(bench, odd, odd_again)
    return True


def _agree(
    line: Any, order: Any, receipt: sa.ColumnElement[int], day: Day
) -> sa.ColumnElement[bool]:
    """Whether all that can be compared beside the numbers is the same; unknown where the books do not know."""
    fee = -((line.receipt * day.fee_ppm + 500_000) // 1_000_000)
    return sa.and_(
        order.status.in_(RECEIVED),
        order.amount_minor == line.total,
        sa.func.coalesce(receipt, line.receipt) == line.receipt,
        line.fee == fee,
    )


def is_order_of(day: Day, order: Any = orders.c) -> sa.ColumnElement[bool]:
    """The condition that an order is the one that a line names."""
    return sa.and_(*_is_of_account(day, order), order.out_trade_no == _line.out_trade_no)


def _is_of_account(day: Day, order: Any = orders.c) -> tuple[sa.ColumnElement[bool], ...]:
    return order.environment == day.environment, order.seller_id == day.seller_id


def _is_of_day(day: Day) -> tuple[sa.ColumnElement[bool], ...]:
    o = orders.c
    return o.merchant_id.in_(day.merchants), o.paid_at >= day.since, o.paid_at < day.until


def _was_paid_on(day: Day) -> tuple[sa.ColumnElement[bool], ...]:
    """The merchants are named for the index's sake; whose an order is, it says itself."""
    return *_is_of_day(day), *_is_of_account(day)


def _not_looked_up(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """``column``, by which SQLite shall take no index: with a plus before it."""
    return UnaryExpression(column, operator=custom_op[Any]("+"), type_=column.type)


def _insert(
    bench: Bench, table: sa.Table, found: sa.Select[*tuple[Any, ...]], prefix: str = ""
) -> None:
    names = [column.name for column in table.columns]
    insert = sa.insert(table).from_select(names, found)
    bench.connection.execute(insert.prefix_with(prefix) if prefix else insert)
