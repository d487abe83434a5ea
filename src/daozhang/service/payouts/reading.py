"""Reading what is expected of an account."""

from __future__ import annotations

from datetime import date, datetime

from daozhang.clock import business_day
from daozhang.service.bills import store as bills
from daozhang.service.bills.model import StatementKind, StatementStatus
from daozhang.service.db import Tx
from daozhang.service.ledger.model import Account, Book
from daozhang.service.ledger.reading import backfilling_until, read_balances
from daozhang.service.ledger.remainders import read_remainders
from daozhang.service.payouts import rules, store
from daozhang.service.payouts.model import Forecast, WorkingDays

_READ = frozenset({StatementStatus.READY, StatementStatus.NONE})


def read_forecast(tx: Tx, book: Book, now: datetime, calendar: WorkingDays) -> Forecast:
    """What an account has and will be paid out, as its ledger stands now."""
    today = business_day(now)
    unsettled = read_remainders(
        tx, book, Account.UNSETTLED, today, rules.look_days(book.payout_days)
    )
    frozen = read_remainders(tx, book, Account.FROZEN, today, rules.FROZEN_LOOK_DAYS)
    paid_on = [one.paid_on for one in unsettled.days]
    due = {rules.pays_out_on(day, book.payout_days, calendar) for day in paid_on}
    over = [day for day in due if day is not None and day < today]
    read = read_days(tx, book, min(over), max(over)) if over else set[date]()
    direct_pay = store.is_direct_pay(tx, book)
    lines = rules.unsettled_lines(unsettled, book, calendar, today, read, direct_pay=direct_pay)
    held = read_balances(tx, book, now)
    return Forecast(
        book=book,
        at=now,
        balances=held | {Account.UNSETTLED: unsettled.minor, Account.FROZEN: frozen.minor},
        unsettled=lines,
        frozen=rules.frozen_lines(frozen, book),
        days=rules.payout_days_of(lines, book.currency),
        working_days=calendar,
        unknown_years=(
            () if direct_pay else rules.unknown_years(paid_on, book.payout_days, calendar)
        ),
        backfilling_until=backfilling_until(tx),
    )


def read_days(tx: Tx, book: Book, first: date, last: date) -> set[date]:
    """The days from ``first`` to ``last`` whose account bill stands in the ledger."""
    found = bills.list_statements(
        tx, book.environment, book.seller_id, first.isoformat(), last.isoformat()
    )
    return {
        one.first
        for one in found
        if one.kind is StatementKind.ACCOUNT and not one.is_month and one.status in _READ
    }
