"""Decisions about lines and books: in what they differ. Pure; the table of docs/reference/reconciliation.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from daozhang.money import Money
from daozhang.service.ledger.rules import estimated_fee
from daozhang.service.orders.model import OrderStatus
from daozhang.service.reconciliation.model import BookSide, LineSide, MismatchClass
from daozhang.service.refunds.model import RefundStatus

RECEIVED: Final = frozenset(
    {OrderStatus.PAID.value, OrderStatus.FINISHED.value, OrderStatus.REFUNDED.value}
)
"""States of an order whose money has been here."""


def differs(
    line: LineSide, books: BookSide | None, day: date, fee_ppm: int
) -> tuple[MismatchClass, ...]:
    """In what a line of the bill of ``day`` and the books differ; nothing if they agree."""
    if books is None:
        return (MismatchClass.MISSING_HERE,)
    return _refund(line, books, day) if line.is_refund else _payment(line, books, day, fee_ppm)


def _payment(line: LineSide, books: BookSide, day: date, fee_ppm: int) -> tuple[MismatchClass, ...]:
    found: list[MismatchClass] = []
    other_trade = books.trade_no is not None and books.trade_no != line.trade_no
    if books.status not in RECEIVED or other_trade:
        found.append(MismatchClass.STATE_DIFFERS)
    if books.amount != line.total or books.receipt not in (None, line.receipt):
        found.append(MismatchClass.AMOUNT_DIFFERS)
    elif not fee_fits(line.receipt, line.fee, fee_ppm):
        found.append(MismatchClass.FEE_DIFFERS)
    if not found and books.day is not None and books.day != day:
        found.append(MismatchClass.DAY_CUT)
    return tuple(found)


def _refund(line: LineSide, books: BookSide, day: date) -> tuple[MismatchClass, ...]:
    if books.status != RefundStatus.SUCCEEDED.value:
        return (MismatchClass.STATE_DIFFERS,)
    if books.amount != -line.total:
        return (MismatchClass.AMOUNT_DIFFERS,)
    # We may learn of a refund days after it was made, never before.
    return (MismatchClass.DAY_CUT,) if books.day is not None and books.day < day else ()


def fee_fits(receipt: int, fee: int, fee_ppm: int) -> bool:
    """Whether the fee of a payment, below zero as a bill writes it, is what the rate says."""
    return fee == fee_of(receipt, fee_ppm)


def fee_of(receipt: int, fee_ppm: int) -> int:
    """What the rate says that the fee of a payment is, below zero as a bill writes it."""
    return -estimated_fee(Money(max(receipt, 0)), fee_ppm).minor


def is_foreign(out_trade_no: str, prefixes: Sequence[str]) -> bool:
    """Whether a rule of the account sets a line aside."""
    return any(out_trade_no.startswith(prefix) for prefix in prefixes)


def key_of(is_refund: bool, out_trade_no: str, out_request_no: str) -> str:
    """What names a payment or a refund among the mismatches of a day."""
    return f"refund:{out_trade_no}:{out_request_no}" if is_refund else f"payment:{out_trade_no}"
