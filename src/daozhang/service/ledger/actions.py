"""Posting: what has happened to money goes into the books, once, in the transaction that proves it.

`post_entry` is the door for whoever tells of something once. `bring_to` is for what may be told again
with another amount: it posts what is missing. Nothing that is posted is ever changed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from daozhang.clock import business_day
from daozhang.service.db import Tx
from daozhang.service.ledger import rules, store
from daozhang.service.ledger.model import Book, Entry, EntryKind, Move
from daozhang.service.ledger.refusals import EntryNotFound, EntryPosted


def post_entry(tx: Tx, entry: Entry) -> bool:
    """Posts ``entry``; ``False`` if one of its book, kind and key is there, which stays as it is.

    What happened on a locked day goes to the next open one, and keeps its moment.
    """
    book = store.hold_book(tx, entry.environment, entry.seller_id, entry.currency)
    return _post(tx, book, entry)


def bring_to(tx: Tx, entry: Entry) -> bool:
    """Posts ``entry`` or, if one of its kind and key says otherwise, what it lacks; whether there was
    anything to post. The caller holds what the entry is about, so that nobody else does it too."""
    book = store.hold_book(tx, entry.environment, entry.seller_id, entry.currency)
    if _post(tx, book, entry):
        return True
    posted = store.list_entry(tx, book, entry.kind, entry.key)
    there = [one.move for one in posted]
    if lacking := rules.missing(entry.moves, there, book.currency):
        numbered = enumerate(lacking, posted[-1].number + 1)
        store.insert_moves(tx, [row_of(book, entry, move, number) for number, move in numbered])
    return bool(lacking)


def bring_to_nothing(tx: Tx, book: Book, kind: EntryKind, key: str) -> bool:
    """Posts what undoes an entry that turned out to be of nothing; whether there was anything to undo.
    Unlike what is reversed, it can be brought to something again."""
    posted = store.list_entry(tx, book, kind, key)
    lacking = rules.missing((), [one.move for one in posted], book.currency)
    if not lacking:
        return False
    last = posted[-1]
    entry = Entry(
        environment=book.environment,
        seller_id=book.seller_id,
        kind=kind,
        key=key,
        at=last.at,
        moves=lacking,
        order_id=last.order_id,
        merchant_id=last.merchant_id,
        memo=last.memo,
    )
    numbered = enumerate(lacking, last.number + 1)
    store.insert_moves(tx, [row_of(book, entry, move, number) for number, move in numbered])
    return True


def reverse_entry(
    tx: Tx, book: Book, kind: EntryKind, key: str, at: datetime, memo: str | None = None
) -> Entry:
    """Takes an entry back by its opposite, which stands beside it.

    Raises `EntryNotFound`, and `EntryPosted` if it has been reversed already. The opposite is posted
    to the day of ``at``.
    """
    posted = store.list_entry(tx, book, kind, key)
    if not posted:
        raise EntryNotFound(kind, key)
    reversal = Entry(
        environment=book.environment,
        seller_id=book.seller_id,
        kind=EntryKind.REVERSAL,
        key=rules.reversal_key(kind, key),
        at=at,
        moves=tuple(one.move.reversed() for one in posted),
        order_id=posted[0].order_id,
        merchant_id=posted[0].merchant_id,
        memo=memo,
    )
    if not post_entry(tx, reversal):
        raise EntryPosted(EntryKind.REVERSAL, reversal.key)
    return reversal


def _post(tx: Tx, book: Book, entry: Entry) -> bool:
    first, *others = [row_of(book, entry, move, n) for n, move in enumerate(entry.moves)]
    is_new = store.insert_first(tx, first)
    if is_new:
        store.insert_moves(tx, others)
    return is_new


def row_of(book: Book, entry: Entry, move: Move, number: int) -> dict[str, Any]:
    """One move of an entry as the table keeps it."""
    return {
        "book_id": book.id,
        "kind": entry.kind.value,
        "key": entry.key,
        "number": number,
        "debit": move.debit.value,
        "credit": move.credit.value,
        "amount_minor": move.amount.minor,
        "at": entry.at,
        "booked_on": rules.booked_on(business_day(entry.at), book.locked_through),
        "order_id": entry.order_id,
        "merchant_id": entry.merchant_id,
        "memo": entry.memo,
    }
