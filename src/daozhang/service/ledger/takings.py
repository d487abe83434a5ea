"""Takings: payments of orders and what goes back of them, as the ledger has them.

`post_taking` and `post_refund` may be told the same again, or more of it: they post what is missing.
Whoever calls them holds the lock of the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from daozhang.clock import business_day
from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.ledger import rules, store
from daozhang.service.ledger.actions import bring_to
from daozhang.service.ledger.model import Account, Book, Entry, EntryKind, Taking

_PAYMENT: Final = EntryKind.PAYMENT.value
_SALES: Final = Account.SALES.value


def post_taking(tx: Tx, taking: Taking) -> None:
    """Posts a payment, or what has been learned of it since."""
    book = store.hold_book(tx, taking.environment, taking.seller_id, taking.total.currency)
    bring_to(tx, _entry_of(taking, book))


def post_new_takings(tx: Tx, takings: Sequence[Taking], now: datetime | None = None) -> None:
    """Posts payments that are in no book, in one statement: on the path of every notification. An order
    begins to be received once, so there is nothing to look for.

    Whoever has only just learned of them says ``now``: a payment of today needs no hold of its book,
    since nobody can lock the day before it has been over for a while, when this transaction has long
    ended. All others do need one, or the day might be closed between the look at the book and the commit.
    """
    today = date.max if now is None else business_day(now)
    dated = [(taking, business_day(taking.at)) for taking in takings]
    late = {_account_of(taking) for taking, day in dated if day < today}
    # In one order, so that two who hold several wait for one another, not each for the other.
    books = {
        account: (None if account in late else store.find_book(tx, *account))
        or store.hold_book(tx, *account)
        for account in sorted({_account_of(taking) for taking in takings})
    }
    store.insert_moves(
        tx,
        [row for taking, day in dated for row in _rows_of(taking, day, books[_account_of(taking)])],
    )


def _account_of(taking: Taking) -> tuple[str, str, str]:
    return taking.environment, taking.seller_id, taking.total.currency


def _rows_of(taking: Taking, day: date, book: Book) -> list[dict[str, Any]]:
    """The moves of a payment as rows, as `row_of` makes them: without what is made on the way."""
    booked_on = rules.booked_on(day, book.locked_through)
    return [
        {
            "book_id": book.id,
            "kind": _PAYMENT,
            "key": taking.key,
            "number": number,
            "debit": account.value,
            "credit": _SALES,
            "amount_minor": minor,
            "at": taking.at,
            "booked_on": booked_on,
            "order_id": taking.order_id,
            "merchant_id": taking.merchant_id,
            "memo": None,
        }
        for number, (account, minor) in enumerate(rules.payment_parts(taking, book.payout))
    ]


def post_refund(tx: Tx, taking: Taking, key: str, amount: Money, at: datetime) -> None:
    """Posts what went back of a payment under ``key``, or what has been learned of it since."""
    book = store.hold_book(tx, taking.environment, taking.seller_id, taking.total.currency)
    there = store.list_of_order(tx, book, taking.order_id)
    if not any(one.kind is EntryKind.PAYMENT for one in there):
        # Booked before the ledger was there.
        post_taking(tx, taking)
        there = store.list_of_order(tx, book, taking.order_id)
    payment = [one for one in there if one.kind is EntryKind.PAYMENT]
    own = (EntryKind.REFUND, key)
    others = [one for one in there if one not in payment and (one.kind, one.key) != own]
    entry = Entry(
        environment=taking.environment,
        seller_id=taking.seller_id,
        kind=EntryKind.REFUND,
        key=key,
        at=at,
        moves=rules.refund_moves(amount, payment, others),
        order_id=taking.order_id,
        merchant_id=taking.merchant_id,
    )
    bring_to(tx, entry)


def _entry_of(taking: Taking, book: Book) -> Entry:
    return Entry(
        environment=taking.environment,
        seller_id=taking.seller_id,
        kind=EntryKind.PAYMENT,
        key=taking.key,
        at=taking.at,
        moves=rules.payment_moves(taking, book.payout),
        order_id=taking.order_id,
        merchant_id=taking.merchant_id,
    )
