"""What of an account is still there, by the day of the payments that brought it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.db import Tx
from daozhang.service.ledger import store
from daozhang.service.ledger.model import Account, Book, DayPart, EntryKind, Remainders
from daozhang.service.ledger.store import moves

_BEGINNING: Final = date(2000, 1, 1)
_EPOCH: Final = date(1970, 1, 1)
_DAY_SECONDS: Final = 86_400
_BEIJING_SECONDS: Final = 8 * 3600
_MICROSECONDS: Final = 1_000_000

_TOTAL, _ORDERS, _BY_HAND = "total", "orders", "by_hand"


def read_remainders(tx: Tx, book: Book, account: Account, last: date, days_max: int) -> Remainders:
    """What ``account`` holds at the end of ``last``, by the day of the payments that brought it.

    Payments are looked at from the last day backwards, until what they have left explains the
    balance, and no further than ``days_max``: years of payments that were paid out long ago
    are nobody's business. Each look is one statement, so its parts are of one moment.
    """
    brought = [
        (day, debits)
        for day, debits, _ in store.sum_days(tx, book.id, account, _BEGINNING, last)
        if debits and day >= last - timedelta(days=days_max)
    ][::-1]
    balance = store.sum_accounts(tx, book.id, last, last).get(account)
    wanted, enough = (0 if balance is None else balance.closing), 0
    while enough < len(brought) and wanted > 0:
        wanted -= brought[enough][1]
        enough += 1
    while True:
        since = brought[enough - 1][0] if enough else last + timedelta(days=1)
        found = _look(tx, book, account, since, last)
        if not found.rest_minor or enough >= len(brought):
            return found
        enough = min(max(2 * enough, 1), len(brought))


def _look(tx: Tx, book: Book, account: Account, since: date, last: date) -> Remainders:
    every = store.every_side(book.id, last)
    total = sa.select(
        sa.literal(_TOTAL).label("of"),
        sa.literal(0, sa.BigInteger).label("day"),
        sa.func.coalesce(sa.func.sum(every.c.debit_minor - every.c.credit_minor), 0).label("minor"),
        sa.literal(0, sa.BigInteger).label("orders"),
    ).where(every.c.account == account.value, every.c.day <= last)
    rows = tx.execute(
        sa.union_all(
            total,
            _of_orders(tx, book, account, since, last),
            _by_hand(book, account, last),
        )
    ).mappings()
    minor = by_hand = 0
    days: list[DayPart] = []
    for row in rows:
        if row["of"] == _TOTAL:
            minor = int(row["minor"])
        elif row["of"] == _BY_HAND:
            by_hand = int(row["minor"])
        elif row["minor"]:
            day = _EPOCH + timedelta(days=int(row["day"]))
            days.append(DayPart(day, int(row["minor"]), int(row["orders"])))
    return Remainders(minor, sorted(days, key=lambda one: one.paid_on), by_hand, since)


def _of_orders(tx: Tx, book: Book, account: Account, since: date, last: date) -> Any:
    paid = (
        sa.select(moves.c.order_id, _day_number(tx, moves.c.at).label("day"))
        .where(
            moves.c.book_id == book.id,
            moves.c.kind == EntryKind.PAYMENT.value,
            moves.c.number == 0,
            moves.c.booked_on >= since,
            moves.c.booked_on <= last,
        )
        .cte("paid")
    )
    m = moves.alias("m")
    touches = (m.c.book_id == book.id, m.c.booked_on <= last, _touches(m, account))
    payments = sa.select(paid.c.order_id, paid.c.day, _signed(m, account)).join(
        m,
        sa.and_(
            m.c.kind == EntryKind.PAYMENT.value,
            m.c.key == sa.cast(paid.c.order_id, sa.String),
            *touches,
        ),
    )
    others = sa.select(paid.c.order_id, paid.c.day, _signed(m, account)).join(
        m,
        sa.and_(
            m.c.order_id == paid.c.order_id,
            m.c.kind != EntryKind.PAYMENT.value,
            *touches,
        ),
    )
    each = sa.union_all(payments, others).subquery()
    orders = (
        sa.select(each.c.day, sa.func.sum(each.c.minor).label("minor"))
        .group_by(each.c.order_id, each.c.day)
        .subquery()
    )
    return sa.select(
        sa.literal(_ORDERS),
        orders.c.day,
        sa.func.sum(orders.c.minor),
        sa.func.sum(sa.case((orders.c.minor != 0, 1), else_=0)),
    ).group_by(orders.c.day)


def _by_hand(book: Book, account: Account, last: date) -> Any:
    """What entries by hand and their reversals did that name no order: few, and found by their kind."""
    m = moves.alias("by_hand")
    kinds = (EntryKind.MANUAL.value, EntryKind.REVERSAL.value)
    return sa.select(
        sa.literal(_BY_HAND),
        sa.literal(0, sa.BigInteger),
        sa.func.coalesce(sa.func.sum(_signed(m, account)), 0),
        sa.literal(0, sa.BigInteger),
    ).where(
        m.c.book_id == book.id,
        m.c.kind.in_(kinds),
        m.c.order_id.is_(None),
        m.c.booked_on <= last,
        _touches(m, account),
    )


def _touches(m: Any, account: Account) -> sa.ColumnElement[bool]:
    return sa.or_(m.c.debit == account.value, m.c.credit == account.value)


def _signed(m: Any, account: Account) -> sa.ColumnElement[int]:
    is_debit = m.c.debit == account.value
    return sa.case((is_debit, m.c.amount_minor), else_=-m.c.amount_minor).label("minor")


def _day_number(tx: Tx, at: sa.Column[Any]) -> sa.ColumnElement[int]:
    """Beijing's day of a moment, counted from 1970: it has been eight hours ahead ever since there is
    Alipay."""
    if tx.dialect == "postgresql":
        seconds = sa.extract("epoch", at) + _BEIJING_SECONDS
        return sa.cast(sa.func.floor(seconds / _DAY_SECONDS), sa.BigInteger)
    beijing = sa.type_coerce(at, sa.BigInteger) + _BEIJING_SECONDS * _MICROSECONDS
    return beijing // (_DAY_SECONDS * _MICROSECONDS)
