"""Payouts: each fen of what is unsettled is expected once, on a working day, or on one that nobody can say."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Generator
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daozhang.clock import BEIJING, business_day
from daozhang.money import Money
from daozhang.service.audit.model import SYSTEM
from daozhang.service.db import Database, Tx
from daozhang.service.ledger import store
from daozhang.service.ledger.actions import bring_to, post_entry
from daozhang.service.ledger.locking import lock_day
from daozhang.service.ledger.model import (
    Account,
    Book,
    DayPart,
    Entry,
    EntryKind,
    Payout,
    Remainders,
    Taking,
)
from daozhang.service.ledger.remainders import read_remainders
from daozhang.service.ledger.rules import moves_of
from daozhang.service.ledger.takings import post_refund, post_taking
from daozhang.service.payouts import rules
from daozhang.service.payouts.calendars import known_working_days, read_working_days
from daozhang.service.payouts.model import Origin, PayoutState
from databases import database_url
from effort import examples

FIRST = date(2026, 3, 2)
DAYS = 6
CALENDAR = known_working_days()
_sellers = itertools.count()


def book_with(payout_days: int, fee_ppm: int = 6000) -> Book:
    return Book(1, "emulator", "2088", "CNY", Payout.LATER, fee_ppm, None, payout_days)


# ---- working days

days = st.dates(date(2024, 1, 1), date(2027, 2, 1))


@given(days, st.integers(1, 30))
def test_money_comes_on_the_nth_working_day_or_on_one_that_is_not_guessed(
    paid_on: date, payout_days: int
) -> None:
    found = rules.pays_out_on(paid_on, payout_days, CALENDAR)
    years = rules.unknown_years([paid_on], payout_days, CALENDAR)
    if found is None:
        assert years == [max(paid_on.year, 2027)]
        # All that is left of the year that is known was not enough.
        left = (date(2026, 12, 31) - paid_on).days
        known = [CALENDAR.is_working(paid_on + timedelta(days=n)) for n in range(1, left + 1)]
        assert known.count(True) < payout_days
        return
    assert years == []
    assert CALENDAR.is_working(found)
    between = [paid_on + timedelta(days=n) for n in range(1, (found - paid_on).days + 1)]
    assert sum(bool(CALENDAR.is_working(day)) for day in between) == payout_days


@pytest.mark.parametrize(
    ("paid_on", "payout_days", "expected"),
    [
        ("2026-03-02", 1, "2026-03-03"),
        ("2026-03-06", 1, "2026-03-09"),  # a Friday
        ("2026-03-07", 1, "2026-03-09"),
        ("2026-02-13", 1, "2026-02-14"),  # a Saturday that is worked
        ("2026-02-14", 1, "2026-02-24"),  # Spring Festival
        ("2026-09-30", 2, "2026-10-09"),  # a Sunday's worth of National Day behind it
        ("2026-12-30", 1, "2026-12-31"),
        ("2026-12-31", 1, None),  # nobody knows whether New Year's Day of 2027 is free
        ("2023-12-29", 1, None),  # a year before those that are known
    ],
)
def test_days_of_the_calendar(paid_on: str, payout_days: int, expected: str | None) -> None:
    found = rules.pays_out_on(date.fromisoformat(paid_on), payout_days, CALENDAR)
    assert (None if found is None else found.isoformat()) == expected


def test_each_year_that_is_known_says_from_where() -> None:
    assert CALENDAR.known_through == date(2026, 12, 31)
    for year, one in CALENDAR.years.items():
        assert f"{year}年部分节假日安排" in one.source
        assert len(one.off) >= 28


@pytest.mark.parametrize(
    "change",
    [
        {"off": ["2027-01-01"]},
        {"off": ["2026-10-07..2026-10-01"]},
        {"worked": ["2026-10-01"]},
        {"worked": ["2026-03-02"]},  # a Monday is worked anyway
        {"source": ""},
        {"free": []},
    ],
)
def test_a_calendar_that_cannot_be_right_is_refused(change: dict[str, object]) -> None:
    year = {"year": 2026, "source": "a notice", "off": ["2026-10-01..2026-10-07"], "worked": []}
    assert read_working_days(json.dumps([year]).encode()).is_working(date(2026, 10, 5)) is False
    with pytest.raises(ValueError):
        read_working_days(json.dumps([year | change]).encode())
    with pytest.raises(ValueError):
        read_working_days(json.dumps([year, year]).encode())


# ---- taking a balance apart

parts = st.lists(
    st.builds(DayPart, days, st.integers(1, 10**9), st.integers(1, 999)),
    max_size=8,
    unique_by=lambda one: one.paid_on,
)


@given(parts, st.integers(-(10**6), 10**6), st.integers(0, 10**6), st.integers(1, 9), days)
def test_every_fen_stands_in_one_line_and_on_one_day(
    found: list[DayPart], by_hand: int, rest: int, payout_days: int, today: date
) -> None:
    minor = sum(one.minor for one in found) + by_hand + rest
    remainders = Remainders(minor, found, by_hand, FIRST)
    book = book_with(payout_days)
    lines = rules.unsettled_lines(remainders, book, CALENDAR, today, ())
    assert sum(line.amount.minor for line in lines) == minor
    assert {line.paid_on: line.amount.minor for line in lines if line.paid_on} == {
        one.paid_on: one.minor for one in found
    }
    assert len(lines) == len({(line.origin, line.paid_on) for line in lines})
    expected = rules.payout_days_of(lines, "CNY")
    assert sum(one.amount.minor for one in expected) == minor
    assert len(expected) == len({one.day for one in expected})
    for name in ("amount", "estimated_fee"):
        assert Money.total(getattr(one, name) for one in expected) == Money.total(
            getattr(one, name) for one in lines
        )
    frozen = rules.frozen_lines(remainders, book)
    assert sum(line.amount.minor for line in frozen) == minor


def test_what_is_expected_waits_for_its_bill_or_is_late() -> None:
    found = Remainders(
        600, [DayPart(FIRST + timedelta(days=n), 100, 1) for n in range(5)], 0, FIRST
    )
    read = {FIRST + timedelta(days=1)}
    today = FIRST + timedelta(days=3)
    lines = rules.unsettled_lines(found, book_with(1), CALENDAR, today, read)
    assert [line.state for line in lines] == [
        PayoutState.LATE,
        PayoutState.AWAITING_BILL,
        PayoutState.EXPECTED,  # today
        PayoutState.EXPECTED,
        PayoutState.EXPECTED,
        PayoutState.LATE,
    ]
    assert (lines[-1].origin, lines[-1].amount) == (Origin.EARLIER, Money(100))
    assert [line.estimated_fee.minor for line in lines] == [1] * 6


# ---- what the ledger says is left


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Generator[Database]:
    made = Database(database_url(tmp_path_factory.mktemp("payouts")))
    yield made
    made.dispose()


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["pay", "refund", "settle", "again", "manual", "lock"]),
        st.integers(0, 4),
        st.integers(1, 1000),
        st.integers(0, DAYS - 1),
    ),
    max_size=16,
)


@settings(
    deadline=None,
    max_examples=examples(60),
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(ACTS, st.booleans(), st.integers(0, 2 * DAYS))
def test_whatever_was_posted_the_days_of_payments_make_the_balance(
    database: Database, acts: list[tuple[str, int, int, int]], frozen: bool, days_max: int
) -> None:
    seller = f"S{next(_sellers)}"
    account = Account.FROZEN if frozen else Account.UNSETTLED
    base = int(seller[1:]) * 10
    with database.begin() as tx:
        store.hold_book(tx, "emulator", seller, "CNY")
        book = store.find_book(tx, "emulator", seller, "CNY")
        assert book is not None
        store.update_book(tx, book.id, payout=Payout.LATER.value)
    paid: dict[int, Taking] = {}
    for count, (act, order, minor, day) in enumerate(acts):
        at = datetime.combine(FIRST + timedelta(days=day), time(12), BEIJING)
        with database.begin() as tx:
            book = store.hold_book(tx, "emulator", seller, "CNY")
            if act == "pay" and order not in paid:
                receipt = None if minor % 2 else Money(minor)
                paid[order] = Taking(
                    "emulator", seller, base + order, 1, Money(1000), receipt, frozen, at
                )
                post_taking(tx, paid[order])
            elif act == "again" and order in paid:
                one = paid[order]  # by now it is known what was received
                paid[order] = Taking(
                    "emulator", seller, base + order, 1, Money(1000), Money(minor), frozen, one.at
                )
                post_taking(tx, paid[order])
            elif act == "refund" and order in paid:
                amount = Money(1 + minor // 10)
                post_refund(tx, paid[order], f"{base}-{count}", amount, max(at, paid[order].at))
            elif act == "settle" and order in paid:
                there = _left(tx, book, paid[order], account)
                if there:
                    legs = {Account.AVAILABLE: min(there, minor), account: -min(there, minor)}
                    post_entry(
                        tx, _entry(seller, EntryKind.SETTLEMENT, count, at, legs, base + order)
                    )
            elif act == "manual":
                legs = {account: -minor, Account.OTHER: minor}
                bring_to(tx, _entry(seller, EntryKind.MANUAL, count, at, legs, None))
            elif act == "lock" and (
                book.locked_through is None or business_day(at) > book.locked_through
            ):
                lock_day(tx, book, business_day(at), SYSTEM, at + timedelta(days=9))
    last = FIRST + timedelta(days=20)
    with database.read() as tx:
        found = read_remainders(tx, book, account, last, 25 if days_max > DAYS else 20 - days_max)
        by_order = {one.order_id: _left(tx, book, one, account) for one in paid.values()}
        held = store.sum_accounts(tx, book.id, last, last)
    assert found.minor == (held[account].closing if account in held else 0)
    expected: Counter[date] = Counter()
    for one in paid.values():
        expected[business_day(one.at)] += by_order[one.order_id]
    told = {one.paid_on: one.minor for one in found.days}
    wanted = {day: minor for day, minor in expected.items() if minor}
    assert told.items() <= wanted.items()
    assert found.rest_minor == sum(wanted.values()) - sum(told.values())
    if days_max > DAYS:
        assert (told, found.rest_minor) == (wanted, 0)
        assert sum(one.order_count for one in found.days) == sum(map(bool, by_order.values()))


def _left(tx: Tx, book: Book, one: Taking, account: Account) -> int:
    """What of an order's payment is still in the account, move by move."""
    minor = 0
    for posted in store.list_of_order(tx, book, one.order_id):
        minor += posted.move.amount.minor * (posted.move.debit is account)
        minor -= posted.move.amount.minor * (posted.move.credit is account)
    return minor


def _entry(
    seller: str,
    kind: EntryKind,
    number: int,
    at: datetime,
    legs: dict[Account, int],
    order_id: int | None,
) -> Entry:
    return Entry(
        environment="emulator",
        seller_id=seller,
        kind=kind,
        key=f"{seller}-{number}",
        at=at,
        moves=moves_of(legs, "CNY"),
        order_id=order_id,
    )
