"""The index of orders as rows, and how far it has come."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.bulk import insert_rows
from daozhang.service.db import RowId, Tx, insert_ignoring, metadata
from daozhang.service.orders.model import OPEN_STATUSES, Order
from daozhang.service.orders.store import NOT_PAID, order_of, order_steps, orders
from daozhang.service.refunds.store import refunds
from daozhang.service.search.model import Sought
from daozhang.service.search.rules import number_of, pack, unpack

# No foreign keys: what is here is made of other rows, and can be made again.
terms: Final = sa.Table(
    "search_terms",
    metadata,
    sa.Column("merchant_id", RowId, primary_key=True, autoincrement=False),
    sa.Column("term", sa.String(96), primary_key=True),
    sa.Column("block", RowId, primary_key=True, autoincrement=False),
    sa.Column("bits", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""Which orders of a block have a term (`daozhang.service.search.rules.pack`)."""

numbers: Final = sa.Table(
    "search_numbers",
    metadata,
    sa.Column("merchant_id", RowId, primary_key=True, autoincrement=False),
    sa.Column("number", sa.String(96), primary_key=True),
    sa.Column("order_id", RowId, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""What names an order beside its own number."""

marks: Final = sa.Table(
    "search_marks",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("after_id", RowId, nullable=False),
)
"""Up to which row each source has been gone through."""

SOURCES: Final[Mapping[str, tuple[sa.Column[int], sa.Column[datetime], sa.Column[int]]]] = {
    "orders": (orders.c.id, orders.c.created_at, orders.c.id),
    "steps": (order_steps.c.id, order_steps.c.at, order_steps.c.order_id),
    "refunds": (refunds.c.id, refunds.c.created_at, refunds.c.order_id),
}
"""Where something new about an order is seen: the row's number, its time, and the order."""


_MARK: Final = sa.select(marks.c.after_id).where(marks.c.name == sa.bindparam("name"))
_MARK_LOCKED: Final = _MARK.with_for_update()
_ALL_MARKS: Final = sa.select(marks.c.name, marks.c.after_id)


def lock_mark(tx: Tx, name: str) -> int:
    """Up to which row ``name`` has come; nobody else goes on with it before the end of ``tx``."""
    after_id = tx.execute(_MARK_LOCKED, {"name": name}).scalar()
    if after_id is None:
        insert_ignoring(tx, marks, [{"name": name, "after_id": 0}], marks.c.name)
        after_id = tx.execute(_MARK_LOCKED, {"name": name}).scalar_one()
    return int(after_id)


def read_mark(tx: Tx, name: str) -> int:
    """The same, held for nobody."""
    return int(tx.execute(_MARK, {"name": name}).scalar() or 0)


def read_marks(tx: Tx) -> Mapping[str, int]:
    """The same of all that anybody has begun."""
    return {row.name: row.after_id for row in tx.execute(_ALL_MARKS)}


def move_mark(tx: Tx, name: str, after_id: int) -> None:
    """All rows up to ``after_id`` have been gone through."""
    tx.execute(sa.update(marks).where(marks.c.name == name).values(after_id=after_id))


_AFTER: Final = {
    source: sa.select(row_id.label("row_id"), at.label("at"), order_id.label("order_id"))
    .where(row_id > sa.bindparam("after_id"))
    .order_by(row_id)
    .limit(sa.bindparam("rows_max"))
    for source, (row_id, at, order_id) in SOURCES.items()
}


def list_after(
    tx: Tx, source: str, after_id: int, rows_max: int
) -> list[tuple[int, datetime, int]]:
    """The next rows of a source: number, time, order."""
    rows = tx.execute(_AFTER[source], {"after_id": after_id, "rows_max": rows_max})
    return [(row.row_id, row.at, row.order_id) for row in rows]


def read_orders(tx: Tx, ids: Collection[int]) -> list[Order]:
    """The orders of those rows."""
    rows = tx.execute(sa.select(orders).where(orders.c.id.in_(ids))).mappings()
    return [order_of(row) for row in rows]


def refund_numbers(tx: Tx, order_ids: Collection[int]) -> list[tuple[int, int, str]]:
    """The refunds of these orders that have a number: merchant, order, number."""
    c = refunds.c
    wanted = sa.select(c.merchant_id, c.order_id, c.out_request_no).where(
        c.order_id.in_(order_ids), c.out_request_no.is_not(None)
    )
    rows = tx.execute(wanted).mappings()
    return [(row["merchant_id"], row["order_id"], row["out_request_no"]) for row in rows]


def add_numbers(tx: Tx, found: Iterable[tuple[int, str, int]]) -> None:
    """Merchant, number, order; one that is there stays."""
    rows = [
        {"merchant_id": merchant_id, "number": number, "order_id": order_id}
        for merchant_id, number, order_id in sorted(found)
    ]
    insert_rows(tx, numbers, rows, on_conflict="ON CONFLICT DO NOTHING")


def delete_numbers(tx: Tx, merchant_id: int, order_id: int, gone: Collection[str]) -> None:
    """Forgets that these name the order."""
    tx.execute(
        sa.delete(numbers).where(
            numbers.c.merchant_id == merchant_id,
            numbers.c.number.in_(gone),
            numbers.c.order_id == order_id,
        )
    )


def orders_numbered(tx: Tx, merchant_id: int, number: str, rows_max: int) -> list[int]:
    """The orders that are named so, newest first."""
    wanted = (
        sa.select(numbers.c.order_id)
        .where(numbers.c.merchant_id == merchant_id, numbers.c.number == number_of(number))
        .order_by(numbers.c.order_id.desc())
    )
    return list(tx.execute(wanted.limit(rows_max)).scalars())


def add_bits(tx: Tx, merchant_id: int, block: int, found: Mapping[str, int]) -> None:
    """Sets bits of a block, by term; those that are set stay. The caller holds a mark's lock."""
    c = terms.c
    known: dict[str, int] = {}
    wanted = sorted(found)
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        rows = tx.execute(
            sa.select(c.term, c.bits).where(
                c.merchant_id == merchant_id, c.term.in_(some), c.block == block
            )
        )
        known.update((row.term, unpack(row.bits)) for row in rows)
    changed = [
        {"merchant_id": merchant_id, "term": term, "block": block, "bits": pack(bits)}
        for term in wanted
        if (bits := found[term] | known.get(term, 0)) != known.get(term)
    ]
    conflict = "ON CONFLICT (merchant_id, term, block) DO UPDATE SET bits = excluded.bits"
    insert_rows(tx, terms, changed, on_conflict=conflict)


def read_bits(
    tx: Tx, merchant_id: int, wanted: Collection[str], first: int, last: int
) -> dict[int, dict[str, int]]:
    """The bits of those terms in the blocks from ``first`` to ``last``, by block."""
    if not wanted:
        return {}
    c = terms.c
    rows = tx.execute(
        sa.select(c.term, c.block, c.bits).where(
            c.merchant_id == merchant_id, c.term.in_(wanted), c.block.between(first, last)
        )
    )
    found: dict[int, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.block, {})[row.term] = unpack(row.bits)
    return found


def last_order_id(tx: Tx) -> int:
    """The number of the newest order there is."""
    return int(tx.execute(sa.select(sa.func.max(orders.c.id))).scalar() or 0)


def first_created_at(tx: Tx, moment: datetime) -> int:
    """About where the orders of ``moment`` begin: their numbers follow time, but for seconds."""
    low, high = 0, last_order_id(tx) + 1
    while low < high:
        middle = (low + high) // 2
        at = tx.execute(
            sa.select(orders.c.created_at)
            .where(orders.c.id >= middle)
            .order_by(orders.c.id)
            .limit(1)
        ).scalar()
        if at is None or at >= moment:
            high = middle
        else:
            low = middle + 1
    return low


def read_fitting(tx: Tx, merchant_id: int, ids: Sequence[int], sought: Sought) -> list[Order]:
    """Those of the rows that have all that columns can tell, newest first."""
    wanted = _narrowed(sa.select(orders).where(orders.c.id.in_(ids)), merchant_id, sought)
    rows = tx.execute(wanted.order_by(orders.c.id.desc())).mappings()
    return [order_of(row) for row in rows]


def list_fitting(
    tx: Tx, merchant_id: int, sought: Sought, low: int, high: int, rows_max: int
) -> list[Order]:
    """The merchant's orders from ``low`` to below ``high`` that fit, newest first."""
    wanted = sa.select(orders).where(orders.c.id >= low, orders.c.id < high)
    status = sought.equal.get("status")
    if status in OPEN_STATUSES:
        # Says nothing new, and that there is an index of few in this order; a planner has to see
        # the word itself, or takes its orders for as many as any other state's.
        wanted = wanted.where(NOT_PAID, orders.c.status == sa.literal(status, literal_execute=True))
    wanted = _narrowed(wanted, merchant_id, sought).order_by(orders.c.id.desc())
    return [order_of(row) for row in tx.execute(wanted.limit(rows_max)).mappings()]


def row_below(tx: Tx, merchant_id: int, high: int, rows: int) -> int | None:
    """Where the merchant's orders stand ``rows`` rows below ``high``; ``None`` if there are fewer."""
    c = orders.c
    wanted = sa.select(c.id).where(c.merchant_id == merchant_id, c.id < high)
    return tx.execute(wanted.order_by(c.id.desc()).offset(rows).limit(1)).scalar()


def _narrowed(wanted: sa.Select[Any], merchant_id: int, sought: Sought) -> sa.Select[Any]:
    c = orders.c
    wanted = wanted.where(c.merchant_id == merchant_id)
    for name, value in sought.equal.items():
        wanted = wanted.where(c[name] == value)
    if sought.created_from is not None:
        wanted = wanted.where(c.created_at >= sought.created_from)
    if sought.created_before is not None:
        wanted = wanted.where(c.created_at < sought.created_before)
    for amount, is_least in ((sought.amount_from, True), (sought.amount_to, False)):
        if amount is not None:
            within = c.amount_minor >= amount.minor if is_least else c.amount_minor <= amount.minor
            wanted = wanted.where(within, c.currency == amount.currency)
    return wanted
