"""Reading the books: balances at any moment, the trial balance, what an account or an order holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from daozhang.clock import business_day
from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.ledger import rules, store
from daozhang.service.ledger.model import (
    Account,
    Balance,
    Book,
    EntryKind,
    Payout,
    Posted,
    TrialBalance,
)
from daozhang.service.ledger.refusals import EntryNotFound
from daozhang.service.ledger.rules import FEE_PPM
from daozhang.service.merchants.store import find_merchant_by_id

CURRENCY: Final = "CNY"
NO_BOOK: Final = 0
"""In place of the row of a book that is not there: no book has it."""


def book_of(tx: Tx, merchant_id: int, currency: str = CURRENCY) -> Book:
    """The book of a merchant's Alipay account, which all its merchants share; an empty one if nothing
    was ever posted to it."""
    merchant = find_merchant_by_id(tx, merchant_id)
    found = store.find_book(tx, merchant.environment, merchant.seller_id, currency)
    return found or Book(
        id=NO_BOOK,
        environment=merchant.environment,
        seller_id=merchant.seller_id,
        currency=currency,
        payout=Payout.AT_ONCE,
        fee_ppm=FEE_PPM,
        locked_through=None,
    )


def estimated_fee(balance: TrialBalance) -> Money:
    """What Alipay will probably take of the payments of these days, after what was given up of prices.
    It is an estimate and is posted nowhere: the bill says what was taken."""
    of = {one.account: one.debits - one.credits for one in balance.accounts}
    received = -of[Account.SALES] - of[Account.MERCHANT_DISCOUNT]
    book = balance.book
    return rules.estimated_fee(Money(max(received, 0), book.currency), book.fee_ppm)


def read_trial_balance(tx: Tx, book: Book, first: date, last: date) -> TrialBalance:
    """All accounts from ``first`` to ``last``: what they held before, what came and went, what they hold."""
    found = store.sum_accounts(tx, book.id, first, last)
    accounts = [found.get(account, Balance(account, 0, 0, 0)) for account in Account]
    return TrialBalance(book, first, last, accounts, store.backfilling_until(tx))


def backfilling_until(tx: Tx) -> datetime | None:
    """See `TrialBalance`."""
    return store.backfilling_until(tx)


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


def list_days(
    tx: Tx, book: Book, account: Account, first: date, last: date
) -> tuple[Balance, Sequence[tuple[date, Balance]]]:
    """An account from ``first`` to ``last``, and each of those days on which something was posted to it."""
    opening = came = went = 0
    days: list[tuple[date, Balance]] = []
    for day, debits, credits_ in store.sum_days(tx, book.id, account, first, last):
        if day < first:
            opening = debits - credits_
            continue
        days.append((day, Balance(account, opening + came - went, debits, credits_)))
        came, went = came + debits, went + credits_
    return Balance(account, opening, came, went), days


def list_reversed(tx: Tx, book: Book, entries: Iterable[Posted]) -> set[tuple[EntryKind, str]]:
    """Those entries, by kind and key, that have been taken back."""
    named = {(one.kind, one.key): rules.reversal_key(one.kind, one.key) for one in entries}
    found = store.reversed_keys(tx, book.id, named.values())
    return {name for name, key in named.items() if key in found}


def read_entry(tx: Tx, book: Book, kind: EntryKind, key: str) -> Sequence[Posted]:
    """The moves of an entry in their order. Raises `EntryNotFound`."""
    posted = store.list_entry(tx, book, kind, key)
    if not posted:
        raise EntryNotFound(kind, key)
    return posted
