"""The duty that fills the index, in batches, some seconds behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from daozhang.service.db import Tx
from daozhang.service.duty import Duty
from daozhang.service.search import store
from daozhang.service.search.rules import number_of, numbers_of, place_of, terms_of
from daozhang.service.web.context import Context

BATCH_ROWS_MAX: Final = 500
"""Rows in one transaction: on SQLite nobody else writes meanwhile."""

AGAIN_SECONDS: Final = 60
"""After this a row is gone through once more. On PostgreSQL one with a lower number can be committed
after one with a higher, and nothing that commits takes as long."""

PASSES: Final = (("", 0), ("_again", AGAIN_SECONDS))


class FillSearch(Duty):
    """Goes through new orders, steps and refunds; what exists when it first runs is new to it."""

    name = "search"
    rest_seconds = 0.25
    """Between two batches: who takes money goes first."""

    def __init__(self, context: Context, *, batch_rows: int = BATCH_ROWS_MAX) -> None:
        self._context = context
        self._batch_rows = batch_rows

    def run_due(self) -> int:
        """One batch of each source and pass."""
        now = self._context.clock.now()
        # Most rounds find nothing: nobody is locked out for it.
        return sum(
            self._go_on(source, name, now - timedelta(seconds=seconds))
            for source, name, seconds, due in self._dues()
            if due <= now
        )

    def next_due(self) -> datetime | None:
        """When the next row of any source is to be gone through."""
        return min((due for _, _, _, due in self._dues()), default=None)

    def _dues(self) -> list[tuple[str, str, int, datetime]]:
        """The sources and passes that have rows to go through, and when the first of each is due."""
        dues: list[tuple[str, str, int, datetime]] = []
        with self._context.database.read() as tx:
            marks = store.read_marks(tx)
            for source in store.SOURCES:
                for name, seconds in PASSES:
                    mark = marks.get(source + name, 0)
                    for _row_id, at, _order_id in store.list_after(tx, source, mark, 1):
                        dues.append((source, name, seconds, at + timedelta(seconds=seconds)))
        return dues

    def _go_on(self, source: str, name: str, until: datetime) -> int:
        with self._context.database.begin() as tx:
            mark = store.lock_mark(tx, source + name)
            found = store.list_after(tx, source, mark, self._batch_rows)
            young = next((n for n, (_, at, _o) in enumerate(found) if at > until), len(found))
            ripe = found[:young]
            if ripe:
                index_orders(tx, {order_id for _, _, order_id in ripe})
                store.move_mark(tx, source + name, ripe[-1][0])
        return len(ripe)


def index_orders(tx: Tx, order_ids: Collection[int]) -> None:
    """Puts what can be found of these orders into the index; what is there stays."""
    # Whoever writes bits reads them first: one at a time.
    store.lock_mark(tx, "writing")
    bits: defaultdict[tuple[int, int], defaultdict[str, int]] = defaultdict(
        lambda: defaultdict(int)
    )
    numbers: set[tuple[int, str, int]] = set()
    for order in store.read_orders(tx, order_ids):
        block, place = place_of(order.id)
        for term in terms_of(order):
            bits[order.merchant_id, block][term] |= 1 << place
        numbers |= {(order.merchant_id, number, order.id) for number in numbers_of(order)}
    for merchant_id, order_id, number in store.refund_numbers(tx, order_ids):
        numbers.add((merchant_id, number_of(number), order_id))
    for (merchant_id, block), found in bits.items():
        store.add_bits(tx, merchant_id, block, found)
    store.add_numbers(tx, numbers)
