"""What was posted and what differed, as a report lists it."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from daozhang.service.db import Tx
from daozhang.service.ledger.model import Book
from daozhang.service.ledger.store import moves, posted_of
from daozhang.service.orders.store import orders
from daozhang.service.reconciliation.model import Mismatch
from daozhang.service.reconciliation.store import mismatch_of, mismatches
from daozhang.service.reports.model import PostedLine


def list_moves(
    tx: Tx, book: Book, first: date, last: date, rows_max: int
) -> tuple[list[PostedLine], int]:
    """What was posted from ``first`` to ``last`` with the numbers of its orders, and how much there is."""
    c = moves.c
    chosen = (c.book_id == book.id, c.booked_on.between(first, last))
    wanted = (
        sa.select(moves, orders.c.out_trade_no)
        .outerjoin(orders, orders.c.id == c.order_id)
        .where(*chosen)
        .order_by(c.booked_on, c.id)
        .limit(rows_max)
    )
    found = [
        PostedLine(posted_of(row, book.currency), row["out_trade_no"])
        for row in tx.execute(wanted).mappings()
    ]
    count = tx.execute(sa.select(sa.func.count()).select_from(moves).where(*chosen)).scalar_one()
    return found, int(count)


def list_mismatches(
    tx: Tx, environment: str, seller_id: str, first: date, last: date, rows_max: int
) -> tuple[list[Mismatch], int]:
    """What differed on those days, ended or not, and how much there is."""
    c = mismatches.c
    chosen = (
        c.environment == environment,
        c.seller_id == seller_id,
        c.day.between(first, last),
    )
    wanted = sa.select(mismatches).where(*chosen).order_by(c.day, c.id).limit(rows_max)
    found = [mismatch_of(row) for row in tx.execute(wanted).mappings()]
    count = tx.execute(
        sa.select(sa.func.count()).select_from(mismatches).where(*chosen)
    ).scalar_one()
    return found, int(count)
