"""What was posted, added up by the database."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.journal.model import Sum
from daozhang.service.ledger.model import Account, Book, EntryKind
from daozhang.service.ledger.store import moves


def sum_moves(tx: Tx, book: Book, first: date, last: date) -> list[Sum]:
    """What was posted from ``first`` to ``last``, by day, kind and both accounts."""
    c = moves.c
    keys = (c.booked_on, c.kind, c.debit, c.credit)
    wanted = (
        sa.select(*keys, sa.func.sum(c.amount_minor).label("minor"))
        .where(c.book_id == book.id, c.booked_on.between(first, last))
        .group_by(*keys)
        .order_by(*keys)
    )
    return [
        Sum(
            row.booked_on,
            EntryKind(row.kind),
            Account(row.debit),
            Account(row.credit),
            Money(int(row.minor), book.currency),
        )
        for row in tx.execute(wanted)
    ]
