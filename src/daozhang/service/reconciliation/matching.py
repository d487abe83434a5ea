"""Matching: which line is which payment or refund, and which rows on either side differ or have no other.

SQL only finds candidates (payments by `pairing`); `rules.differs` decides of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa

from daozhang.clock import business_day
from daozhang.service.ledger.reading import CURRENCY
from daozhang.service.ledger.rules import FEE_PPM
from daozhang.service.ledger.store import books
from daozhang.service.merchants.store import merchants
from daozhang.service.orders.store import orders
from daozhang.service.reconciliation.model import BookSide, LineSide
from daozhang.service.reconciliation.pairing import (
    Day,
    is_order_of,
    receipt_of_order,
)
from daozhang.service.reconciliation.rules import RECEIVED
from daozhang.service.reconciliation.workbench import Bench, odd, trade_lines
from daozhang.service.refunds.model import RefundStatus
from daozhang.service.refunds.store import refunds

ROWS_AT_ONCE: Final = 1000

_line: Final = trade_lines.c


@dataclass(frozen=True, slots=True)
class Pair:
    """A line and what the books have of it. A refund that they lack may be of an order that they have."""

    line: LineSide
    books: BookSide | None
    order_id: int | None = None
    merchant_id: int | None = None
    refund_id: int | None = None


def odd_payments(bench: Bench) -> Iterator[Pair]:
    """Lines of payments that may differ from their orders, or have none."""
    o = orders.c
    wanted = (
        sa.select(*_LINE, *_order_columns(), o.amount_minor, receipt_of_order.label("ours_receipt"))
        .select_from(
            odd.join(trade_lines, bench.is_line_of_odd()).outerjoin(orders, o.id == odd.c.order_id)
        )
        .order_by(odd.c.number)
    )
    for row in stream(bench, wanted):
        books = _books_of(row, row["ours_receipt"], row["paid_at"])
        yield Pair(_line_of(row), books, row["order_id"], row["merchant_id"])


def repeated_payments(bench: Bench, day: Day) -> Iterator[Mapping[str, Any]]:
    """Orders that the bill has more than once: order, merchant, numbers, how often, and over how much."""
    o = orders.c
    twice = (
        sa.select(
            _line.out_trade_no, sa.func.count().label("times"),
            sa.func.max(_line.number).label("number"),
        )
        .where(_line.refund.is_(False))
        .group_by(_line.out_trade_no)
        .having(sa.func.count() > 1)
        .subquery()
    )  # fmt: skip
    wanted = (
        sa.select(
            o.id.label("order_id"), twice.c.times, o.merchant_id, o.trade_no, o.out_trade_no,
            o.amount_minor, twice.c.number, _line.total,
        )
        .select_from(
            twice.join(trade_lines, _line.number == twice.c.number).join(
                orders, is_order_of(day)
            )
        )
        .order_by(o.id)
    )  # fmt: skip
    yield from stream(bench, wanted)


def unbilled_payments(bench: Bench) -> Iterator[Mapping[str, Any]]:
    """Orders that were paid on the day, and that no line names."""
    o = orders.c
    wanted = (
        sa.select(o.id, o.merchant_id, o.trade_no, o.out_trade_no, o.amount_minor, o.paid_at)
        .select_from(odd.join(orders, o.id == odd.c.order_id))
        .where(odd.c.number.is_(None), o.status.in_(RECEIVED))
        .order_by(o.id)
    )
    yield from stream(bench, wanted)


def refund_pairs(bench: Bench, day: Day) -> Iterator[Pair]:
    """Every line of a refund, with the refund in the books if there is one."""
    o, r = orders.c, refunds.c
    # One that a cancel made has no number of its own here; its amount tells it.
    nameless = sa.and_(r.out_request_no.is_(None), r.amount_minor == -_line.total)
    is_refund = sa.and_(
        r.order_id == o.id, sa.or_(r.out_request_no == _line.out_request_no, nameless)
    )
    wanted = (
        sa.select(
            *_LINE, *_order_columns(), r.amount_minor.label("amount_minor"), r.id.label("refund_id"),
            r.status.label("refund_status"), r.ended_at,
        )
        .select_from(
            trade_lines.outerjoin(orders, is_order_of(day)).outerjoin(refunds, is_refund)
        )
        .where(_line.refund.is_(True))
        .order_by(_line.number, r.out_request_no.is_(None))
    )  # fmt: skip
    last = None
    for row in stream(bench, wanted):
        if row["number"] == last:
            continue  # the named one came first
        last = row["number"]
        books = None
        if row["refund_id"] is not None:
            books = _books_of(row, None, row["ended_at"], status=row["refund_status"])
        yield Pair(_line_of(row), books, row["order_id"], row["merchant_id"], row["refund_id"])


def unbilled_refunds(bench: Bench, day: Day, seen: Sequence[int]) -> Iterator[Mapping[str, Any]]:
    """Refunds that the books have of the day, and that no bill has shown."""
    o, r = orders.c, refunds.c
    wanted = (
        sa.select(
            r.id, r.order_id, o.merchant_id, o.trade_no, o.out_trade_no, r.out_request_no,
            r.amount_minor, r.ended_at,
        )
        .select_from(refunds.join(orders, o.id == r.order_id))
        .where(
            r.merchant_id.in_(day.merchants),
            r.status == RefundStatus.SUCCEEDED.value,
            r.ended_at >= day.since,
            r.ended_at < day.until,
            sa.or_(r.billed_on.is_(None), r.billed_on == day.day),
            r.amount_minor > 0,
        )
        .order_by(r.id)
    )  # fmt: skip
    here = frozenset(seen)
    for row in stream(bench, wanted):
        if row["id"] not in here:
            yield row


def fee_ppm_of(bench: Bench, environment: str, seller_id: str) -> int:
    """The rate of fees that the account's book expects, in millionths."""
    b = books.c
    wanted = sa.select(b.fee_ppm).where(
        b.environment == environment, b.seller_id == seller_id, b.currency == CURRENCY
    )
    found = bench.connection.execute(wanted).scalar()
    return FEE_PPM if found is None else int(found)


def merchants_of(bench: Bench, environment: str, seller_id: str) -> list[int]:
    """The merchants whose money goes to the account."""
    m = merchants.c
    wanted = sa.select(m.id).where(m.environment == environment, m.seller_id == seller_id)
    return list(bench.connection.execute(wanted.order_by(m.id)).scalars())


_LINE: Final = (
    _line.number, _line.refund, _line.trade_no.label("line_trade_no"),
    _line.out_trade_no.label("line_out_trade_no"), _line.out_request_no.label("line_request_no"),
    _line.at, _line.total, _line.receipt, _line.fee,
)  # fmt: skip


def _order_columns() -> tuple[sa.ColumnElement[Any], ...]:
    o = orders.c
    return o.id.label("order_id"), o.merchant_id, o.trade_no, o.status, o.paid_at


def stream(bench: Bench, wanted: sa.Executable) -> Iterator[Mapping[str, Any]]:
    """Rows, some at a time, however many there are."""
    # Said to the statement: a connection that is told so would stream whatever comes after, too.
    streaming = {"stream_results": True, "yield_per": ROWS_AT_ONCE}
    with bench.connection.execute(wanted, execution_options=streaming) as found:
        yield from cast("Iterator[Mapping[str, Any]]", found.mappings())


def _line_of(row: Mapping[str, Any]) -> LineSide:
    return LineSide(
        number=row["number"],
        is_refund=bool(row["refund"]),
        trade_no=row["line_trade_no"],
        out_trade_no=row["line_out_trade_no"],
        out_request_no=row["line_request_no"],
        at=row["at"],
        total=row["total"],
        receipt=row["receipt"],
        fee=row["fee"],
    )


def _books_of(
    row: Mapping[str, Any], receipt: int | None, at: datetime | None, status: str | None = None
) -> BookSide | None:
    if row["order_id"] is None:
        return None
    return BookSide(
        trade_no=row["trade_no"],
        status=status or row["status"],
        amount=row["amount_minor"],
        receipt=receipt,
        day=None if at is None else business_day(at),
    )
