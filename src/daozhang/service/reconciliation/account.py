"""The account bill and the ledger: what only the bill tells is posted, and the day is held against it.

A file can be read again, and another can stand for its day: what is posted is brought to what the bill
says now. `check_of_day` says at any moment how a day stands.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.bills import store as bills
from daozhang.service.bills.model import Statement, StatementKind
from daozhang.service.db import Database, Tx
from daozhang.service.ledger import store as ledger
from daozhang.service.ledger.actions import bring_to, bring_to_nothing
from daozhang.service.ledger.model import Account, Book, Entry, EntryKind, Posted
from daozhang.service.ledger.reading import CURRENCY
from daozhang.service.ledger.rules import legs_of
from daozhang.service.orders.store import orders
from daozhang.service.reconciliation import account_rules as rules
from daozhang.service.reconciliation import store
from daozhang.service.reconciliation.account_rules import AccountCheck, AccountDay, AccountSum
from daozhang.service.reconciliation.matching import stream
from daozhang.service.reconciliation.model import MismatchClass
from daozhang.service.reconciliation.workbench import Bench, account_lines

ORDERS_AT_ONCE: Final = 200
"""So many orders are settled in a transaction."""

_line: Final = account_lines.c
_TRADES: Final = [name for name, of in rules.GROUP_OF_TYPE.items() if of is rules.Group.TRADES]


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


@dataclass(frozen=True, slots=True)
class Off:
    """Something about the account of a day that a person has to see."""

    mismatch: MismatchClass
    key: str
    ours: int | None
    theirs: int | None
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a day stands, for its run: figures, what is off, and how many lines over how much agree.
    ``made_good``: the earlier day that was off by what stands here."""

    figures: Mapping[str, Any]
    off: Sequence[Off] = ()
    matched_count: int = 0
    matched_minor: int = 0
    made_good: date | None = None


# ---- reading


def before_lines(tx: Tx, statement: Statement) -> Before:
    """What reading the lines of a bill needs of the books."""
    environment, seller_id = statement.environment, statement.seller_id
    book = ledger.find_book(tx, environment, seller_id, CURRENCY)
    held = (
        {} if book is None else ledger.sum_accounts(tx, book.id, statement.first, statement.first)
    )
    prefixes = store.list_prefixes(tx, environment, seller_id)
    return Before(prefixes, book, Account.UNSETTLED in held)


def read_lines(bench: Bench, statement: Statement, before: Before) -> Reading:
    """What the lines on the bench say."""
    settled = Settled()
    if before.book is not None and before.pays_out:
        _read_settled(bench, statement, before.book, settled)
    return Reading(_read_day(bench, before.prefixes), settled)


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
        .where(_line.business.in_(_TRADES), was_unsettled)
        .group_by(o.id, o.merchant_id)
    )
    for row in stream(bench, listed):
        settled.order_ids.append(row["id"])
        settled.merchant_ids.append(row["merchant_id"])
        settled.minors.append(int(row["minor"]))
    named = sa.select(_line.out_trade_no).where(_line.business.in_(_TRADES))
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
            _open(tx, statement, _hold(tx, statement), reading.day.opening)


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
    there = ledger.list_of_order(tx, book, order_id)
    payment = [one for one in there if one.kind is EntryKind.PAYMENT]
    before = [one for one in there if one.kind is EntryKind.SETTLEMENT and one.key != key]
    own = [
        one
        for one in there
        if one.kind is not EntryKind.SETTLEMENT and one.booked_on == statement.first
    ]
    minor = rules.settled_minor(
        listed,
        rules.held(_legs(own)),
        _legs(payment).get(Account.UNSETTLED, 0),
        rules.held(_legs(before)),
    )
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


def _legs(posted: Sequence[Posted]) -> dict[Account, int]:
    return legs_of(one.move for one in posted)


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
            at = _find(tx, statement.environment, statement.seller_id, period)
            day = None if at is None else _told_of(tx, at)
            if at is None or day is None:
                continue
            told = day.opening
        if period == first or not _is_read(tx, at, at.first - timedelta(days=1), statement):
            _bring_opening(tx, at, book, told)
        else:
            bring_to_nothing(tx, book, EntryKind.OPENING, period)


def _is_read(tx: Tx, of: Statement, day: date, now: Statement) -> bool:
    """Whether the account bill of ``day`` has been read, or is ``now``."""
    found = _find(tx, of.environment, of.seller_id, day.isoformat())
    return found is not None and (found.id == now.id or store.last_run(tx, found.id) is not None)


def _bring_opening(tx: Tx, statement: Statement, book: Book, opening: int) -> None:
    there = ledger.list_entry(tx, book, EntryKind.OPENING, statement.period)
    counted = _legs([one for one in there if one.booked_on < statement.first])
    before, _ = _ledger_holds(tx, book, statement.first)
    minor = opening - (before - rules.held(counted))
    if minor:
        bring_to(tx, rules.opening_of(statement, minor, book.currency))
    else:
        bring_to_nothing(tx, book, EntryKind.OPENING, statement.period)


# ---- checking


def check_of_day(tx: Tx, environment: str, seller_id: str, day: date) -> AccountCheck | None:
    """How the account bill of a day and the ledger stand to one another now; ``None`` if no account
    bill of it has been read."""
    statement = _find(tx, environment, seller_id, day.isoformat())
    book = ledger.find_book(tx, environment, seller_id, CURRENCY)
    if statement is None or book is None or store.last_run(tx, statement.id) is None:
        return None
    return _check(tx, book, day, _told_of(tx, statement))


def outcome_of(tx: Tx, statement: Statement, reading: Reading) -> Outcome:
    """How the day stands after it was posted."""
    book = ledger.find_book(tx, statement.environment, statement.seller_id, CURRENCY)
    day = reading.day
    if book is None:
        return Outcome({})
    check = _check(tx, book, statement.first, day)
    earlier, known = _known_difference(tx, statement)
    made_good = earlier if check.makes_good(known) else None
    figures: dict[str, Any] = {
        "ledger": {"opening": check.ledger_opening.minor, "closing": check.ledger_closing.minor},
        "difference": check.difference.minor,
        "carried": check.carried.minor,
        "gap": check.gap.minor,
    }
    balance = [] if _was_made_good(tx, statement, check) else _balance(check, known, figures)
    if day is None:
        return Outcome(figures, balance, made_good=made_good)
    figures["bill"] = rules.day_content(day)
    by_kind = ledger.sum_kinds(tx, book.id, statement.first, rules.HELD)
    groups = rules.grouped(day, by_kind)
    figures["groups"] = {
        group.value: {"ours": ours, "theirs": theirs} for group, (ours, theirs) in groups.items()
    }
    off = [*balance, *_unknown(day)]
    off += [
        Off(MismatchClass.STATE_DIFFERS, f"group:{group.value}", *groups[group], figures)
        for group in rules.swapped(groups)
    ]
    agreeing = rules.agreeing(day, groups)
    return Outcome(
        figures,
        off,
        matched_count=sum(one.count for one in agreeing),
        matched_minor=sum(one.net for one in agreeing),
        made_good=made_good,
    )


def _balance(check: AccountCheck, known: Money, figures: Mapping[str, Any]) -> list[Off]:
    minor = check.off_by(known).minor
    if not minor:
        return []
    theirs = check.ends.minor
    return [Off(MismatchClass.AMOUNT_DIFFERS, store.BALANCE, theirs + minor, theirs, figures)]


def _unknown(day: AccountDay) -> list[Off]:
    return [
        Off(
            MismatchClass.MISSING_HERE,
            f"type:{one.business}",
            None,
            one.net,
            {"business": one.business, "count": one.count, "posted_to": Account.SUSPENSE.value},
        )
        for one in rules.unknown_types(day)
    ]


def _check(tx: Tx, book: Book, day: date, told: AccountDay | None) -> AccountCheck:
    return rules.check_of(told, *_ledger_holds(tx, book, day), book.currency)


def _ledger_holds(tx: Tx, book: Book, day: date) -> tuple[int, int]:
    """What the ledger holds of what the bill calls the balance, before ``day`` and after it."""
    found = ledger.sum_accounts(tx, book.id, day, day)
    held = [found[account] for account in rules.HELD if account in found]
    return sum(one.opening for one in held), sum(one.closing for one in held)


def _known_difference(tx: Tx, statement: Statement) -> tuple[date | None, Money]:
    """The last day before that was looked at, and by how much the ledger was above the bill at its end."""
    earlier = bills.find_before(tx, statement)
    run = None if earlier is None else store.last_run(tx, earlier.id)
    if earlier is None or run is None:
        return None, Money(0)
    return earlier.first, Money(int(run.figures.get("difference", 0)))


def _was_made_good(tx: Tx, statement: Statement, check: AccountCheck) -> bool:
    """Whether the next day has been read already, and has what this one is off by."""
    following = statement.first + timedelta(days=1)
    found = _find(tx, statement.environment, statement.seller_id, following.isoformat())
    run = None if found is None else store.last_run(tx, found.id)
    if run is None or not check.difference:
        return False
    carried, difference = (run.figures.get(name) for name in ("carried", "difference"))
    return (carried, difference) == (check.difference.minor, 0)


def _told_of(tx: Tx, statement: Statement) -> AccountDay | None:
    """What the last run has kept of a bill; ``None`` if there is none, or the bill had no lines."""
    run = store.last_run(tx, statement.id)
    told = None if run is None else run.figures.get("bill")
    return None if told is None else rules.day_from(told)


def _find(tx: Tx, environment: str, seller_id: str, period: str) -> Statement | None:
    return bills.find_statement(tx, environment, seller_id, StatementKind.ACCOUNT.value, period)
