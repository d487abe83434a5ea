"""Looking for orders: newest first, a page at a time, never longer than a reader waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from daozhang.service.db import Tx
from daozhang.service.orders.model import OPEN_STATUSES, Order
from daozhang.service.orders.store import find_order_of_merchant
from daozhang.service.search import store
from daozhang.service.search.model import Found, Sought
from daozhang.service.search.rules import (
    BLOCK_ROWS,
    INDEXED,
    WORDS_MAX,
    amount_of,
    amount_term,
    bigrams,
    bits_from,
    column_term,
    contains,
    numbers_of,
    place_of,
    rows_of,
    words_of,
)

LOOKED_AT_MAX: Final = 20_000
"""Rows that are looked at for one page. Then it says down to where, and goes on when asked."""

READ_ROWS: Final = 500
BLOCKS_FIRST, BLOCKS_MAX = 4, 256
TAIL_ROWS_MAX: Final = 2000
NUMBERED_MAX: Final = 2000
DISORDER: Final = timedelta(minutes=5)
"""By how much the numbers of orders and their times may be out of step."""


@dataclass(frozen=True, slots=True)
class _Word:
    """One word, and what finds it: rows that are named so, an amount, or all of the bigrams."""

    word: str
    rows: Mapping[int, int]
    amount: str | None
    grams: frozenset[str]


def find_orders(
    tx: Tx, merchant_id: int, sought: Sought, *, before_id: int | None, rows_max: int
) -> Found:
    """The merchant's orders that fit, newest first, older than ``before_id``."""
    high = store.last_order_id(tx) + 1 if before_id is None else before_id
    low = 1
    if sought.created_before is not None:
        high = min(high, store.first_created_at(tx, sought.created_before + DISORDER))
    if sought.created_from is not None:
        low = store.first_created_at(tx, sought.created_from - DISORDER)
    words = [_word(tx, merchant_id, word) for word in words_of(sought.text)[:WORDS_MAX]]
    by_term = {name for name in sought.equal if name in INDEXED}
    if sought.equal.get("status") in OPEN_STATUSES and not words:
        return _page(store.list_fitting(tx, merchant_id, sought, low, high, rows_max), rows_max)
    if words or by_term:
        return _by_index(tx, merchant_id, sought, words, (low, high), rows_max)
    bottom = store.row_below(tx, merchant_id, high, LOOKED_AT_MAX)
    if bottom is None or bottom <= low or _takes_all(sought):
        return _page(store.list_fitting(tx, merchant_id, sought, low, high, rows_max), rows_max)
    orders = store.list_fitting(tx, merchant_id, sought, bottom, high, rows_max)
    return _page(orders, rows_max) if len(orders) == rows_max else Found(orders, bottom)


def _takes_all(sought: Sought) -> bool:
    return sought.amount_from is None and sought.amount_to is None


def _page(orders: list[Order], rows_max: int) -> Found:
    return Found(orders, orders[-1].id if len(orders) == rows_max else None)


def _word(tx: Tx, merchant_id: int, word: str) -> _Word:
    named = store.orders_numbered(tx, merchant_id, word, NUMBERED_MAX)
    own = find_order_of_merchant(tx, merchant_id, word)
    upper = find_order_of_merchant(tx, merchant_id, word.upper()) if own is None else None
    rows = [*named, *(one.id for one in (own, upper) if one is not None)]
    amount = amount_of(word)
    return _Word(
        word,
        bits_from(rows),
        None if amount is None else amount_term(amount),
        frozenset(bigrams(word)),
    )


def _by_index(
    tx: Tx,
    merchant_id: int,
    sought: Sought,
    words: list[_Word],
    bounds: tuple[int, int],
    rows_max: int,
) -> Found:
    orders: list[Order] = []
    looked_at = 0
    for ids in _batches(_candidates(tx, merchant_id, sought, words, bounds)):
        for order in store.read_fitting(tx, merchant_id, ids, sought):
            if all(_fits(order, word) for word in words):
                orders.append(order)
                if len(orders) == rows_max:
                    return Found(orders, order.id)
        looked_at += len(ids)
        if looked_at >= LOOKED_AT_MAX:
            return Found(orders, ids[-1])
    return Found(orders, None)


def _batches(ids: Iterator[int]) -> Iterator[list[int]]:
    batch: list[int] = []
    for each in ids:
        batch.append(each)
        if len(batch) == READ_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _fits(order: Order, word: _Word) -> bool:
    """The index says what may fit; the row decides."""
    block, place = place_of(order.id)
    return (
        bool(word.rows.get(block, 0) >> place & 1)
        or amount_term(order.amount) == word.amount
        or contains(order.subject, word.word)
        or word.word in numbers_of(order)
    )


def _candidates(
    tx: Tx, merchant_id: int, sought: Sought, words: list[_Word], bounds: tuple[int, int]
) -> Iterator[int]:
    """The rows that may fit, newest first."""
    low, high = bounds
    columns = {column_term(name, sought.equal[name]) for name in INDEXED if name in sought.equal}
    wanted = {*columns}
    for word in words:
        wanted |= word.grams | ({word.amount} if word.amount is not None else set[str]())
    mark = store.read_mark(tx, "orders")
    restless = bits_from(_restless(tx))
    block, first = place_of(high - 1)[0], place_of(low)[0]
    step = BLOCKS_FIRST
    while block >= first:
        down_to = max(block - step + 1, first)
        read = store.read_bits(tx, merchant_id, wanted, down_to, block)
        for here in range(block, down_to - 1, -1):
            bits = _bits_of(here, read.get(here, {}), words, columns)
            bits |= restless.get(here, 0)
            bits |= _rows_between(here, mark + 1, high)  # not in the index yet
            bits &= _rows_between(here, low, high)
            yield from rows_of(here, bits)
        block, step = down_to - 1, min(step * 4, BLOCKS_MAX)


def _bits_of(block: int, known: Mapping[str, int], words: list[_Word], columns: set[str]) -> int:
    bits = -1
    for term in columns:
        bits &= known.get(term, 0)
    for word in words:
        in_subject = -1
        for gram in word.grams:
            in_subject &= known.get(gram, 0)
        amount = 0 if word.amount is None else known.get(word.amount, 0)
        bits &= in_subject | amount | word.rows.get(block, 0)
    return bits


def _rows_between(block: int, first: int, end: int) -> int:
    """The bits of the rows from ``first`` to below ``end`` in a block."""
    begin = block * BLOCK_ROWS
    from_place, to_place = max(first - begin, 0), min(max(end - begin, 0), BLOCK_ROWS)
    if from_place >= to_place:
        return 0
    return (1 << to_place) - (1 << from_place)


def _restless(tx: Tx) -> set[int]:
    """Orders of which something new is not in the index yet."""
    return {
        order_id
        for source in ("steps", "refunds")
        for _, _, order_id in store.list_after(
            tx, source, store.read_mark(tx, source), TAIL_ROWS_MAX
        )
    }
