"""The account bill's decisions: whatever files come for whatever days, the last of each is what the books say."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daozhang.money import Money
from daozhang.service.bills import store as bills
from daozhang.service.bills.model import Statement, StatementKind, StatementStatus
from daozhang.service.db import Database
from daozhang.service.ledger import store as ledger
from daozhang.service.ledger.actions import bring_to, bring_to_nothing, post_entry
from daozhang.service.ledger.model import Account, Entry, EntryKind, Move, Posted
from daozhang.service.ledger.reading import read_trial_balance
from daozhang.service.ledger.rules import legs_of, refund_moves, takes
from daozhang.service.reconciliation import account_rules as rules
from daozhang.service.reconciliation import store
from daozhang.service.reconciliation.account import Reading, post_day
from daozhang.service.reconciliation.account_checking import check_of_day, outcome_of
from daozhang.service.reconciliation.account_items import Items
from daozhang.service.reconciliation.account_rules import AccountDay, AccountSum, Group
from daozhang.service.reconciliation.model import MismatchClass
from databases import database_url
from effort import examples
from worlds import START

ROOT = Path(__file__).parents[2]
FIRST = date(2026, 3, 2)
DAYS = 3
OPENING = 10**6
_sellers = itertools.count()

types = st.sampled_from(
    [*rules.GROUP_OF_TYPE, *rules.POSTED_TYPES, *rules.WITHIN_TYPES, "余额宝转入", "红包"]
)
sums = st.builds(
    AccountSum,
    business=types,
    is_foreign=st.booleans(),
    count=st.integers(1, 9),
    income=st.integers(0, 10**6),
    outgo=st.integers(0, 10**6),
)
lines = st.lists(sums, max_size=6, unique_by=lambda one: (one.business, one.is_foreign))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Generator[Database]:
    made = Database(database_url(tmp_path_factory.mktemp("account")))
    yield made
    made.dispose()


def statement_of(database: Database, seller: str, day: date) -> Statement:
    with database.begin() as tx:
        given = ("emulator", seller, StatementKind.ACCOUNT.value, day.isoformat())
        bills.insert_statement(
            tx,
            {
                **dict(zip(("environment", "seller_id", "kind", "period"), given, strict=True)),
                "status": StatementStatus.READY.value,
                "created_at": START,
                "updated_at": START,
            },
        )
        found = bills.find_statement(tx, *given)
    assert found is not None
    return found


def read(database: Database, statement: Statement, day: AccountDay) -> None:
    """What a run does with an account bill after it has been loaded."""
    reading = Reading(day)
    post_day(database, statement, reading)
    with database.begin() as tx:
        outcome = outcome_of(tx, statement, day, Items())
        store.insert_run(
            tx,
            {
                "statement_id": statement.id,
                "at": START,
                "line_count": 0,
                "matched_count": outcome.matched_count,
                "matched_minor": outcome.matched_minor,
                "counts": {},
                "figures": outcome.figures,
            },
        )


@settings(
    deadline=None,
    max_examples=examples(12),
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.integers(0, DAYS - 1), lines), max_size=8), st.data())
def test_whatever_files_come_the_last_of_each_day_is_what_the_books_say(
    database: Database, files: list[tuple[int, list[AccountSum]]], data: st.DataObject
) -> None:
    """In any order, twice, and an earlier day after a later one."""
    seller = f"S{next(_sellers)}"
    statements = [statement_of(database, seller, FIRST + timedelta(days=n)) for n in range(DAYS)]
    final = {n: data.draw(lines) for n in range(DAYS)}
    openings = [OPENING]
    for n in range(DAYS):
        # What facts tell is in the books by itself: here, what the bill has of it.
        facts = sum(
            one.net
            for one in final[n]
            if one.business in rules.GROUP_OF_TYPE and not one.is_foreign
        )
        _post_facts(database, seller, n, facts)
        openings.append(openings[n] + sum(one.net for one in final[n]))
    order = data.draw(st.permutations(range(DAYS)))
    for n, found in [*files, *((n, final[n]) for n in order), *((n, final[n]) for n in order)]:
        closing = openings[n] + sum(one.net for one in found)
        read(database, statements[n], AccountDay(openings[n], closing, found))
    with database.read() as tx:
        book = ledger.find_book(tx, "emulator", seller, "CNY")
        assert book is not None
        whole = read_trial_balance(tx, book, date.min + timedelta(days=1), FIRST + timedelta(DAYS))
        carried = 0
        for n in range(DAYS):
            stands = check_of_day(tx, "emulator", seller, FIRST + timedelta(days=n))
            within = sum(one.net for one in final[n] if one.business in rules.WITHIN_TYPES)
            assert stands is not None
            assert (stands.of_the_day, stands.gap) == (Money(-within), Money(0))
            assert stands.carried == Money(carried)
            carried -= within
    holds = {one.account: one.closing for one in whole.accounts}
    assert sum(holds.values()) == 0
    assert holds[Account.FEE] == -sum(
        one.net for n in range(DAYS) for one in final[n] if one.business in ("收费", "退费")
    )
    assert holds[Account.SUSPENSE] == -sum(
        one.net for n in range(DAYS) for one in final[n] if rules.is_unknown(one)
    )


def _post_facts(database: Database, seller: str, day: int, minor: int) -> None:
    if minor:
        pair = (Account.AVAILABLE, Account.SALES)
        debit, credit = pair if minor > 0 else pair[::-1]
        moves = (Move(debit, credit, Money(abs(minor))),)
        at = START + timedelta(days=day)
        with database.begin() as tx:
            post_entry(tx, Entry("emulator", seller, EntryKind.PAYMENT, str(day), at, moves))


def test_a_type_that_nobody_knows_waits_in_suspense_for_a_person(database: Database) -> None:
    seller = f"S{next(_sellers)}"
    statement = statement_of(database, seller, FIRST)
    strange = [AccountSum("红包", False, 2, 700, 100), AccountSum("红包", True, 1, 0, 50)]
    day = AccountDay(1000, 1550, strange)
    read(database, statement, day)
    with database.read() as tx:
        outcome = outcome_of(tx, statement, day, Items())
        book = ledger.find_book(tx, "emulator", seller, "CNY")
        assert book is not None
        posted = ledger.list_entry(tx, book, EntryKind.OTHER, f"{FIRST}:红包")
    assert legs_of(one.move for one in posted) == {Account.AVAILABLE: 550, Account.SUSPENSE: -550}
    (off,) = outcome.off
    assert (off.mismatch, off.key, off.theirs) == (MismatchClass.MISSING_HERE, "type:红包", 550)
    assert off.evidence["count"] == 3


def test_no_book_is_opened_while_older_orders_are_still_being_posted(database: Database) -> None:
    seller = f"S{next(_sellers)}"
    statement = statement_of(database, seller, FIRST)
    day = AccountDay(1000, 1000, [AccountSum("收费", False, 1, 0, 0)])
    row = {"round": 1, "position": 0, "starts_at": START}
    with database.begin() as tx:
        tx.execute(sa.delete(ledger.backfill))
        tx.execute(sa.insert(ledger.backfill).values(**row))
    read(database, statement, day)
    with database.begin() as tx:
        stands = check_of_day(tx, "emulator", seller, FIRST)
        assert stands is not None
        assert stands.carried == Money(-1000)
        tx.execute(sa.update(ledger.backfill).values(ended_at=START))
    read(database, statement, day)
    with database.read() as tx:
        stands = check_of_day(tx, "emulator", seller, FIRST)
    assert stands is not None
    assert stands.agrees


def test_a_gap_is_closed_by_the_bills_between(database: Database) -> None:
    """Days 0 and 2 are read, then the one between: its fee leaves the opening and becomes a fee."""
    seller = f"S{next(_sellers)}"
    statements = [statement_of(database, seller, FIRST + timedelta(days=n)) for n in range(3)]
    days = [
        AccountDay(1000 - 10 * n, 990 - 10 * n, [AccountSum("收费", False, 1, 0, 10)])
        for n in range(3)
    ]
    for n, left in ((2, 980), (0, -10), (1, 0)):
        read(database, statements[n], days[n])
        with database.read() as tx:
            book = ledger.find_book(tx, "emulator", seller, "CNY")
            assert book is not None
            third = ledger.list_entry(tx, book, EntryKind.OPENING, statements[2].period)
            assert legs_of(one.move for one in third).get(Account.AVAILABLE, 0) == left
    with database.read() as tx:
        checks = [check_of_day(tx, "emulator", seller, one.first) for one in statements]
    assert all(one is not None and one.agrees for one in checks)


def test_an_entry_is_brought_to_nothing_and_to_something_again(database: Database) -> None:
    seller = f"S{next(_sellers)}"

    def fee(minor: int) -> Entry:
        moves = (Move(Account.FEE, Account.AVAILABLE, Money(minor)),)
        return Entry("emulator", seller, EntryKind.FEE, "2026-03-02:收费", START, moves)

    with database.begin() as tx:
        book = ledger.hold_book(tx, "emulator", seller, "CNY")
        assert not bring_to_nothing(tx, book, EntryKind.FEE, "2026-03-02:收费")
        for minor in (5, 0, 7):
            if minor:
                assert bring_to(tx, fee(minor))
            else:
                assert bring_to_nothing(tx, book, EntryKind.FEE, "2026-03-02:收费")
                assert not bring_to_nothing(tx, book, EntryKind.FEE, "2026-03-02:收费")
            posted = ledger.list_entry(tx, book, EntryKind.FEE, "2026-03-02:收费")
            legs = legs_of(one.move for one in posted)
            assert legs.get(Account.FEE, 0) == minor
        assert ledger.list_keys(tx, book, rules.BILL_KINDS, "2026-03-02:") == [
            (EntryKind.FEE, "2026-03-02:收费")
        ]


class PaidOutLater:
    """One order at Alipay, whose payment is paid out on a later day, and in the books.

    Until then nothing of it is listed but what receivers give back, which is there at once.
    """

    def __init__(self, paid: int) -> None:
        self.paid, self.pending, self.held = paid, 0, 0
        self.is_out, self.day = False, FIRST
        self.listed: dict[date, int] = {}
        self.unlearned: list[tuple[EntryKind, int, date]] = []
        self.there: list[Posted] = []
        self._list(paid)
        self.post(EntryKind.PAYMENT, Move(Account.UNSETTLED, Account.SALES, Money(paid)))

    def _list(self, minor: int) -> None:
        if self.is_out:
            self.held += minor
            self.listed[self.day] = self.listed.get(self.day, 0) + minor
        else:
            self.pending += minor

    def post(self, kind: EntryKind, *moves: Move, day: date | None = None) -> None:
        for move in moves:
            one = Posted(0, kind, "1", 0, move, START, day or self.day, 1, 1, None)
            self.there.append(one)

    def share(self, minor: int, *, learned: bool) -> None:
        self._list(-minor)
        self._learn(EntryKind.SHARE, minor, learned=learned)

    def refund(self, minor: int, returned: int, *, learned: bool) -> None:
        self._list(-minor)
        self._learn(EntryKind.REFUND, minor, learned=learned)
        if returned:
            self.held += returned  # the bill lists it, and settles nothing by it
            self._learn(EntryKind.SHARE_RETURN, returned, learned=learned)

    def _learn(self, kind: EntryKind, minor: int, *, learned: bool) -> None:
        self.unlearned.append((kind, minor, self.day))
        if learned:
            self.learn()

    def learn(self) -> None:
        """What the books did not know is posted, on Alipay's day."""
        for kind, minor, day in self.unlearned:
            amount = Money(minor)
            match kind:
                case EntryKind.SHARE:
                    parts = takes(amount, self.there)
                    moves = tuple(Move(Account.ROYALTY, one, part) for one, part in parts)
                case EntryKind.REFUND:
                    payment = [one for one in self.there if one.kind is EntryKind.PAYMENT]
                    others = [one for one in self.there if one.kind is not EntryKind.PAYMENT]
                    moves = refund_moves(amount, payment, others)
                case _:
                    moves = (Move(Account.AVAILABLE, Account.ROYALTY, amount),)
            self.post(kind, *moves, day=day)
        self.unlearned.clear()

    def pay_out(self) -> None:
        self.is_out = True
        self._list(self.pending)
        self.pending = 0

    def read_bill(self, day: date) -> None:
        if day in self.listed:
            minor = rules.settled_minor(self.listed[day], day, self.there)
            if minor:
                self.post(EntryKind.SETTLEMENT, *rules.settlement_moves(minor, "CNY"), day=day)

    def in_books(self) -> dict[Account, int]:
        return legs_of(one.move for one in self.there)


acts = st.lists(
    st.tuples(st.booleans(), st.integers(1, 60), st.booleans(), st.booleans()), max_size=3
)


@given(
    st.integers(1, 100), st.lists(acts, min_size=1, max_size=4), st.integers(0, 3), st.booleans()
)
def test_whenever_it_is_paid_out_an_order_ends_as_its_bills_say(
    paid: int, days: list[list[tuple[bool, int, bool, bool]]], payout: int, late: bool
) -> None:
    """Shares, refunds with shares that come back, and one payout, in any order; bills are read before the next
    day begins, or when it is over; some things are learned at once, the others when all is over."""
    order, left, shared = PaidOutLater(paid), paid, 0
    for number, deeds in enumerate([*days, *[[]] * 6]):
        order.day = FIRST + timedelta(days=number)
        if late and number > 1:
            order.read_bill(order.day - timedelta(days=2))
        for is_share, minor, before_payout, learned in (*deeds, (True, 0, False, True)):
            if number == payout and not before_payout and not order.is_out:
                order.pay_out()
            if not is_share and (minor := min(minor, left)):
                order.refund(minor, returned := min(shared, minor // 2), learned=learned)
                left, shared = left - minor, shared - returned
            elif is_share and 0 < minor <= left - shared:
                order.share(minor, learned=learned)
                shared += minor
        if not late:
            order.read_bill(order.day)
        if not late and not order.unlearned:
            assert rules.held(order.in_books()) == order.held
            assert order.in_books().get(Account.UNSETTLED, 0) == order.pending
    assert order.is_out
    order.learn()
    assert rules.held(order.in_books()) == order.held
    assert order.in_books().get(Account.UNSETTLED, 0) == order.pending == 0


@given(st.integers(1, 300), st.lists(st.integers(-400, 400), max_size=8))
def test_whatever_bills_list_no_more_is_paid_out_than_was_paid(
    paid: int, listed: list[int]
) -> None:
    order = PaidOutLater(paid)
    for number, minor in enumerate(listed):
        day = FIRST + timedelta(days=number)
        order.listed = {day: minor}
        order.read_bill(day)
        assert -paid <= rules.held(order.in_books()) <= paid


def test_the_reference_names_each_type_with_what_it_posts() -> None:
    page = (ROOT / "docs/reference/reconciliation.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    for name, (kind, beyond) in rules.POSTED_TYPES.items():
        (row,) = [one for one in rows if one.startswith(f"| {name} |")]
        assert f"`{kind.value}`" in row
        assert beyond.value in row
    (compared,) = [one for one in rows if "compared by sum" in one]
    assert all(name in compared for name in rules.GROUP_OF_TYPE)
    (within,) = [one for one in rows if "the balance stays" in one]
    assert all(name in within for name in rules.WITHIN_TYPES)


def test_types_that_are_swapped_are_found_though_the_money_agrees() -> None:
    assert rules.swapped({Group.TRADES: (30, 10), Group.TRANSFERS: (0, 20)}) == [
        Group.TRADES,
        Group.TRANSFERS,
    ]
    # What a person has booked by hand is in no group: the balance says whether all is well.
    assert rules.swapped({Group.TRADES: (10, 30), Group.TRANSFERS: (0, 0)}) == []


def test_what_a_day_is_off_by_is_what_it_brought_or_nobody_saw_come() -> None:
    def check(opening: int, flow: int, closing: int, before: int, after: int) -> rules.AccountCheck:
        one = AccountSum("交易付款", False, 1, flow, 0)
        return rules.check_of(AccountDay(opening, closing, [one]), before, after, "CNY")

    nothing = Money(0)
    assert check(100, 10, 110, 100, 110).agrees
    brought = check(100, 10, 110, 100, 109)
    assert (brought.agrees, brought.off_by(nothing)) == (False, Money(-1))
    carried = check(100, 10, 110, 103, 113)
    assert (carried.off_by(nothing), carried.off_by(Money(3))) == (Money(3), nothing)
    assert not carried.makes_good(Money(3))
    # What came too late for one day's bill, and stands in this one's.
    cut = check(100, 10, 110, 110, 110)
    assert (cut.off_by(Money(10)), cut.makes_good(Money(10))) == (nothing, True)
    broken = check(100, 11, 110, 100, 110)
    assert (broken.agrees, broken.gap, broken.off_by(nothing)) == (False, Money(-1), Money(1))
