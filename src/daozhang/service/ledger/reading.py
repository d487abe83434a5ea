"""Reading the books: balances at any moment, the trial balance, what an account or an order holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from daozhang.clock import business_day
from daozhang.service.db import Tx
from daozhang.service.ledger import store
from daozhang.service.ledger.model import Account, Balance, Book, Posted, TrialBalance


def read_trial_balance(tx: Tx, book: Book, first: date, last: date) -> TrialBalance:
    """All accounts from ``first`` to ``last``: what they held before, what came and went, what they hold."""
    found = store.sum_accounts(tx, book.id, first, last)
    accounts = [found.get(account, Balance(account, 0, 0, 0)) for account in Account]
    return TrialBalance(book, first, last, accounts, store.backfilling_until(tx))


def read_balances(tx: Tx, book: Book, at: datetime) -> dict[Account, int]:
    """What each account held at that moment, in minor units."""
    day = business_day(at)
    before = store.sum_accounts(tx, book.id, day, day - timedelta(days=1))
    legs = store.legs_of_day(tx, book.id, day, at)
    return {
        account: (before[account].closing if account in before else 0) + legs.get(account, 0)
        for account in Account
    }


def list_account(
    tx: Tx, book: Book, account: Account, day: date, *, after_id: int = 0, rows_max: int = 100
) -> Sequence[Posted]:
    """What was posted to an account on a day, in the order in which it was, after the row ``after_id``."""
    return store.list_of_account(tx, book, account, day, after_id, rows_max)
