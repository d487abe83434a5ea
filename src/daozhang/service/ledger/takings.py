"""Takings: payments of orders and what goes back of them, as the ledger has them.

`post_taking` and `post_refund` may be told the same again, or more of it: they post what is missing.
Whoever calls them holds the lock of the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.ledger import rules, store
from daozhang.service.ledger.actions import bring_to, row_of
from daozhang.service.ledger.model import Book, Entry, EntryKind, Taking


def post_taking(tx: Tx, taking: Taking) -> None:
    """Posts a payment, or what has been learned of it since."""
    book = store.hold_book(tx, taking.environment, taking.seller_id, taking.total.currency)
    bring_to(tx, _entry_of(taking, book))


def post_new_takings(tx: Tx, new: Sequence[tuple[Book | None, Taking]], now: datetime) -> None:
    """Posts payments that are in no book, in one statement: what a group of notifications costs. Each
    with its book as it was seen, ``None`` if there was none.

    A payment of today needs no hold of its book: nobody can lock the day before it has been over for
    a while, when this transaction has long ended. One of a day before does, or the day might be
    closed between the look at the book and the commit.
    """
    books = {_account_of(taking): book for book, taking in new}
    held = {account for account, book in books.items() if book is None}
    held |= {_account_of(taking) for _, taking in new if not rules.is_of_today(taking.at, now)}
    # In one order, so that two who hold several wait for one another, not each for the other.
    for account in sorted(held):
        books[account] = store.hold_book(tx, *account)
    rows: list[dict[str, Any]] = []
    for _, taking in new:
        book = books[_account_of(taking)]
        assert book is not None, "it was held just now"
        entry = _entry_of(taking, book)
        rows += [row_of(book, entry, move, number) for number, move in enumerate(entry.moves)]
    store.insert_moves(tx, rows)


def _account_of(taking: Taking) -> tuple[str, str, str]:
    return taking.environment, taking.seller_id, taking.total.currency


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
        moves=rules.refund_moves(amount, at, payment, others),
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
