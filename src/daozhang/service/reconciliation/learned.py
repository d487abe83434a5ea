"""Which days before a bill have to be looked at once more: of some, more was learned since they were read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from daozhang.service.bills import store as bills
from daozhang.service.bills.model import Statement
from daozhang.service.db import Tx
from daozhang.service.ledger import store as ledger
from daozhang.service.ledger.model import Account
from daozhang.service.ledger.reading import CURRENCY
from daozhang.service.reconciliation import store

DAYS_BACK: Final = timedelta(days=62)
"""So far back days are looked at once more when a later one is read."""

POSTED: Final = "posted"
"""Under which name a run keeps what the books had of its day."""

Posted = dict[str, list[int]]
"""Debits and credits in fen of the accounts that payments and refunds come to."""

_ACCOUNTS: Final = (Account.SALES, Account.REFUNDS)


def open_days_before(tx: Tx, statement: Statement) -> list[Statement]:
    """The bills of that kind of the days before it that are not closed, oldest first."""
    first, where = statement.first - DAYS_BACK, (statement.environment, statement.seller_id)
    book = ledger.find_book(tx, *where, CURRENCY)
    if book is not None and book.locked_through is not None:
        first = max(first, book.locked_through + timedelta(days=1))
    last = statement.first - timedelta(days=1)
    there = bills.list_statements(tx, *where, first.isoformat(), last.isoformat())
    return [one for one in reversed(there) if one.kind is statement.kind and not one.is_month]


def posted_of(tx: Tx, statement: Statement) -> Posted:
    """What the books have of payments and refunds of the day, for `learned_since`."""
    return _posted(tx, statement, statement.first, statement.first).get(statement.first, {})


def learned_since(tx: Tx, statement: Statement) -> list[int]:
    """The trade bills before it, by their rows, of whose days the books have something else than when they
    were read."""
    days = open_days_before(tx, statement)
    if not days:
        return []
    posted = _posted(tx, statement, days[0].first, days[-1].first)
    found: list[int] = []
    for one in days:
        run = store.last_run(tx, one.id)
        kept = None if run is None else run.figures.get(POSTED)  # earlier versions kept none
        if kept is not None and kept != posted.get(one.first, {}):
            found.append(one.id)
    return found


def _posted(tx: Tx, statement: Statement, first: date, last: date) -> dict[date, Posted]:
    book = ledger.find_book(tx, statement.environment, statement.seller_id, CURRENCY)
    found: dict[date, Posted] = {}
    if book is None:
        return found
    for account in _ACCOUNTS:
        for day, debits, credits_ in ledger.sum_days(tx, book.id, account, first, last):
            if day >= first:
                found.setdefault(day, {})[account.value] = [debits, credits_]
    return found
