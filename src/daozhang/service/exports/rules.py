"""What stands in a list of orders, cell by cell. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from daozhang.clock import BEIJING
from daozhang.money import Money
from daozhang.service.orders.model import Order
from daozhang.service.people.masking import masked_logon, masked_number

KEPT_SECONDS: Final = 7 * 24 * 3600
"""How long a file is kept."""

STALE_SECONDS: Final = 3600
"""An export that has not moved for so long has come to nothing."""

Cell = str | int | Decimal | datetime | date | None
Words = Mapping[str, str]

FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What begins like this is a formula to a spreadsheet, whoever wrote it."""

DIGITS_MAX: Final = 11
"""A spreadsheet rounds or rewrites what has more digits; so it leaves as text."""


def _amount(amount: Money | None) -> Decimal | None:
    return None if amount is None else Decimal(str(amount))


def _buyer(order: Order) -> str | None:
    """Who paid, masked: a file goes further than a page."""
    payment = order.payment
    if payment is None:
        return None
    if payment.buyer_logon_id:
        return masked_logon(payment.buyer_logon_id)
    number = payment.buyer_id or payment.buyer_open_id
    return masked_number(number) if number else None


COLUMNS: Final[Mapping[str, Callable[[Order, Words], Cell]]] = {
    "out_trade_no": lambda order, _: order.out_trade_no,
    "trade_no": lambda order, _: order.trade_no,
    "status": lambda order, words: words.get(f"order.{order.status}", order.status.value),
    "way": lambda order, words: words.get(f"way.{order.way}", order.way.value),
    "subject": lambda order, _: order.subject,
    "currency": lambda order, _: order.amount.currency,
    "amount": lambda order, _: _amount(order.amount),
    "refunded": lambda order, _: _amount(order.refunded),
    "receipt": lambda order, _: _amount(order.payment.receipt) if order.payment else None,
    "buyer": lambda order, _: _buyer(order),
    "created_at": lambda order, _: order.created_at,
    "paid_at": lambda order, _: order.payment.paid_at if order.payment else None,
    "operator_id": lambda order, _: order.operator_id,
    "terminal_id": lambda order, _: order.terminal_id,
    "store_id": lambda order, _: order.store_id,
    "cart_ref": lambda order, _: order.cart_ref,
    "late": lambda order, words: words.get("yes", "yes") if order.late else None,
    "attention": lambda order, words: words.get("yes", "yes") if order.attention else None,
}
"""The columns of a list in their order, by the name of their heading among the words."""


def headings(words: Words) -> list[str]:
    """The first line of a list."""
    return [words.get(f"column.{name}", name) for name in COLUMNS]


def cells_of(order: Order, words: Words) -> list[Cell]:
    """The line of ``order``."""
    return [cell(order, words) for cell in COLUMNS.values()]


def in_beijing(moment: datetime) -> datetime:
    """The time that a clock in Beijing shows then; a spreadsheet knows no zones."""
    return moment.astimezone(BEIJING).replace(tzinfo=None, microsecond=0)


def csv_cell(cell: Cell) -> str:
    """A cell as a line of text carries it so that a spreadsheet shows what it is.

    A long number ends with a tab, as in Alipay's own bills: it is text then, and keeps its digits.
    """
    match cell:
        case None:
            return ""
        case datetime():
            return in_beijing(cell).isoformat(sep=" ")
        case date():
            return cell.isoformat()
        case int() | Decimal():
            return str(cell)
        case _:
            if cell.startswith(FORMULAS):
                return f"'{cell}"
            return f"{cell}\t" if cell.isdecimal() and len(cell) > DIGITS_MAX else cell


def percent_done(top: int, bottom: int, at: int) -> int:
    """How much of the rows from ``top`` down to ``bottom`` has been gone through at ``at``."""
    whole = max(top - bottom, 1)
    return min(max((top - at) * 100 // whole, 0), 99)
