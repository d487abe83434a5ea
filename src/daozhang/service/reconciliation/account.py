"""The account bill and the ledger: what only the bill tells is posted, and the day is held against it.

A file can be read again, and another can stand for its day: what is posted is brought to what the bill
says now. `check_of_day` says at any moment how a day stands.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import sqlalchemy as sa

from daozhang.service.bills import store as bills
from daozhang.service.bills.model import Statement
from daozhang.service.db import Database, Tx
from daozhang.service.ledger import store as ledger
from daozhang.service.ledger.actions import bring_to, bring_to_nothing
from daozhang.service.ledger.model import Account, Book, Entry, EntryKind
from daozhang.service.ledger.reading import CURRENCY
from daozhang.service.ledger.rules import legs_of
from daozhang.service.orders.store import orders
from daozhang.service.reconciliation import account_rules as rules
from daozhang.service.reconciliation import store
from daozhang.service.reconciliation.account_checking import (
    find_account_bill,
    ledger_holds,
    pays_out_later,
    told_of,
)
from daozhang.service.reconciliation.account_items import Items, read_items
from daozhang.service.reconciliation.account_rules import AccountDay, AccountSum, Group
from daozhang.service.reconciliation.matching import stream
from daozhang.service.reconciliation.workbench import Bench, account_lines

ORDERS_AT_ONCE: Final = 200
"""So many orders are settled in a transaction."""

_line: Final = account_lines.c


@dataclass(frozen=True, slots=True)
class Before:
    """What has to be known before the lines are read. ``pays_out``: the book has, or had, payments that
    Alipay pays out later."""

    prefixes: Sequence[str]
    book: Book | None
    pays_out: bool


@dataclass(slots=True)
class Settled:
    """What the bill lists of orders whose money was not paid out at first: row, merchant and fen of each,
    in so little room that a million of them fit. ``dropped``: settlements that an earlier file told of."""

    order_ids: array[int] = field(default_factory=lambda: array("q"))
    merchant_ids: array[int] = field(default_factory=lambda: array("q"))
    minors: array[int] = field(default_factory=lambda: array("q"))
    dropped: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Reading:
    """An account bill, read: ``day`` is ``None`` if it has no lines."""

    day: AccountDay | None = None
    settled: Settled = field(default_factory=Settled)
    items: Items = field(default_factory=Items)


# ---- reading


def before_lines(tx: Tx, statement: Statement) -> Before:
    """What reading the lines of a bill needs of the books."""
    environment, seller_id = statement.environment, statement.seller_id
    book = ledger.find_book(tx, environment, seller_id, CURRENCY)
    prefixes = store.list_prefixes(tx, environment, seller_id)
    pays_out = book is not None and pays_out_later(tx, book, statement.first)
    return Before(prefixes, book, pays_out)


def read_lines(bench: Bench, statement: Statement, before: Before) -> Reading:
    """What the lines on the bench say."""
    settled = Settled()
    if before.book is not None and before.pays_out:
        _read_settled(bench, statement, before.book, settled)
    day = _read_day(bench, before.prefixes)
    if before.book is None:
        return Reading(day, settled)
    # Of what is paid out later, the bill lists shares on the day of the payout, as parts of what comes.
    groups = [Group.TRANSFERS] if before.pays_out else [Group.SHARES, Group.TRANSFERS]
    items = read_items(bench, statement, before.book, before.prefixes, groups)
    return Reading(day, settled, items)


def _read_day(bench: Bench, prefixes: Sequence[str]) -> AccountDay | None:
    first, last = (
        bench.connection.execute(
            sa.select(_line.at, _line.income, _line.outgo, _line.balance).order_by(order).limit(1)
        ).first()
        for order in (_line.number, _line.number.desc())
    )
    if first is None or last is None:
        return None
    if first.at > last.at:  # the newest line is the first
        first, last = last, first
    begins = (sa.func.substr(_line.out_trade_no, 1, len(one)) == one for one in prefixes)
    business = sa.func.substr(_line.business, 1, rules.BUSINESS_CHARACTERS_MAX)
    is_foreign = sa.case((sa.or_(sa.false(), *begins), 1), else_=0)
    typed = sa.select(
        business.label("business"),
        is_foreign.label("is_foreign"),
        _line.income,
        sa.func.abs(_line.outgo).label("outgo"),
    ).subquery()
    c = typed.c
    by_type = (
        sa.select(c.business, c.is_foreign, sa.func.count(), sa.func.sum(c.income), sa.func.sum(c.outgo))
        .group_by(c.business, c.is_foreign)
        .order_by(c.business, c.is_foreign)
    )  # fmt: skip
    sums = [
        AccountSum(name, bool(foreign), int(count), int(income), int(outgo))
        for name, foreign, count, income, outgo in bench.connection.execute(by_type)
    ]
    opening = int(first.balance) - int(first.income) + abs(int(first.outgo))
    return AccountDay(opening, int(last.balance), sums)


def _read_settled(bench: Bench, statement: Statement, book: Book, settled: Settled) -> None:
    o, m = orders.c, ledger.moves.c
    was_unsettled = sa.exists().where(
        m.book_id == book.id,
        m.kind == EntryKind.PAYMENT.value,
        m.key == sa.cast(o.id, sa.String),
        m.debit == Account.UNSETTLED.value,
    )
    is_order = sa.and_(
        o.environment == statement.environment,
        o.seller_id == statement.seller_id,
        o.out_trade_no == _line.out_trade_no,
    )
    minor = sa.func.sum(_line.income - sa.func.abs(_line.outgo)).label("minor")
    listed = (
        sa.select(o.id, o.merchant_id, minor)
        .select_from(account_lines.join(orders, is_order))
        .where(_line.business.in_(rules.SETTLED_TYPES), was_unsettled)
        .group_by(o.id, o.merchant_id)
    )
    for row in stream(bench, listed):
        settled.order_ids.append(row["id"])
        settled.merchant_ids.append(row["merchant_id"])
        settled.minors.append(int(row["minor"]))
    named = sa.select(_line.out_trade_no).where(_line.business.in_(rules.SETTLED_TYPES))
    told = (
        sa.select(m.key)
        .select_from(ledger.moves.join(orders, o.id == m.order_id))
        .where(
            m.book_id == book.id,
            m.kind == EntryKind.SETTLEMENT.value,
            m.booked_on >= statement.first,
            m.key.startswith(f"{statement.period}:"),
            m.number == 0,
            o.out_trade_no.not_in(named),
        )
    )
    settled.dropped += bench.connection.execute(told).scalars()


# ---- posting


def post_day(database: Database, statement: Statement, reading: Reading) -> None:
    """Posts what the account bill of a day tells, or what it says now that it did not say before."""
    with database.begin() as tx:
        book = _hold(tx, statement)
        day = reading.day
        entries = () if day is None else rules.entries_of(statement, day, book.currency)
        for entry in entries:
            bring_to(tx, entry)
        told = {(entry.kind, entry.key) for entry in entries}
        for kind, key in ledger.list_keys(tx, book, rules.BILL_KINDS, f"{statement.period}:"):
            if (kind, key) not in told:
                bring_to_nothing(tx, book, kind, key)
        for key in reading.settled.dropped:
            bring_to_nothing(tx, book, EntryKind.SETTLEMENT, key)
    settled = reading.settled
    for first in range(0, len(settled.order_ids), ORDERS_AT_ONCE):
        part = slice(first, first + ORDERS_AT_ONCE)
        with database.begin() as tx:
            book = _hold(tx, statement)
            for order_id, merchant_id, minor in zip(
                settled.order_ids[part],
                settled.merchant_ids[part],
                settled.minors[part],
                strict=True,
            ):
                _settle(tx, statement, book, order_id, merchant_id, minor)
    if reading.day is not None:
        with database.begin() as tx:
            bills.find_by_id(tx, statement.id, lock=True)
            # Held alone: of two bills that are read at once, one opens the book and the other sees it.
            _open(tx, statement, ledger.lock_book(tx, book.id), reading.day.opening)


def _hold(tx: Tx, statement: Statement) -> Book:
    """The book; whoever reads the same bill waits, so that what is brought to something is so once."""
    bills.find_by_id(tx, statement.id, lock=True)
    return ledger.hold_book(tx, statement.environment, statement.seller_id, CURRENCY)


def _settle(
    tx: Tx, statement: Statement, book: Book, order_id: int, merchant_id: int, listed: int
) -> None:
    """Moves what Alipay has paid out of an order. It needs no lock of the order: what is refunded
    meanwhile stands in a later bill, whose settlement brings it in order."""
    key = f"{statement.period}:{order_id}"
    posted = ledger.list_of_order(tx, book, order_id)
    there = [one for one in posted if (one.kind, one.key) != (EntryKind.SETTLEMENT, key)]
    minor = rules.settled_minor(listed, statement.first, there)
    if minor:
        bring_to(
            tx,
            Entry(
                environment=statement.environment,
                seller_id=statement.seller_id,
                kind=EntryKind.SETTLEMENT,
                key=key,
                at=rules.last_moment(statement.until),
                moves=rules.settlement_moves(minor, book.currency),
                order_id=order_id,
                merchant_id=merchant_id,
            ),
        )
    else:
        bring_to_nothing(tx, book, EntryKind.SETTLEMENT, key)


def _open(tx: Tx, statement: Statement, book: Book, opening: int) -> None:
    """The first account bill opens the book. Where an earlier one comes later, that one does; what is
    left of the other opening is what the days between tell of, until their bills are read, too."""
    if ledger.backfilling_until(tx) is not None:
        return  # what the ledger holds before that day is not known yet
    opened = {key for _, key in ledger.list_keys(tx, book, [EntryKind.OPENING])}
    first = min({statement.period, *opened})
    for period in sorted({first, *opened}):
        if period == statement.period:
            told, at = opening, statement
        else:
            at = find_account_bill(tx, statement.environment, statement.seller_id, period)
            day = None if at is None else told_of(tx, at)
            if at is None or day is None:
                continue
            told = day.opening
        if period == first or not _is_read(tx, at, at.first - timedelta(days=1), statement):
            _bring_opening(tx, at, book, told)
        else:
            bring_to_nothing(tx, book, EntryKind.OPENING, period)


def _is_read(tx: Tx, of: Statement, day: date, now: Statement) -> bool:
    """Whether the account bill of ``day`` has been read, or is ``now``."""
    found = find_account_bill(tx, of.environment, of.seller_id, day.isoformat())
    return found is not None and (found.id == now.id or store.last_run(tx, found.id) is not None)


def _bring_opening(tx: Tx, statement: Statement, book: Book, opening: int) -> None:
    there = ledger.list_entry(tx, book, EntryKind.OPENING, statement.period)
    counted = legs_of(one.move for one in there if one.booked_on < statement.first)
    before, _ = ledger_holds(tx, book, statement.first)
    minor = opening - (before - rules.held(counted))
    if minor:
        bring_to(tx, rules.opening_of(statement, minor, book.currency))
    else:
        bring_to_nothing(tx, book, EntryKind.OPENING, statement.period)
