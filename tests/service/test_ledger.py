"""The ledger: whatever happens to orders, in whatever order and however often, it balances and says it once."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daozhang.clock import business_day
from daozhang.money import Money
from daozhang.service.audit.model import SYSTEM
from daozhang.service.db import Database, Tx
from daozhang.service.ledger import rules, store
from daozhang.service.ledger.actions import bring_to, post_entry, reverse_entry
from daozhang.service.ledger.locking import lock_day, require_locked, require_open
from daozhang.service.ledger.model import (
    Account,
    Entry,
    EntryKind,
    Legs,
    Move,
    Payout,
    Posted,
    Taking,
)
from daozhang.service.ledger.reading import list_account, read_balances, read_trial_balance
from daozhang.service.ledger.refusals import (
    DayLocked,
    DayNotLocked,
    DayNotOver,
    EntryNotFound,
    EntryPosted,
    EntryUnbalanced,
)
from daozhang.service.ledger.takings import post_new_takings
from daozhang.service.progress import last_id, lock_position, set_position
from databases import database_url
from effort import examples
from worlds import START

DAY = timedelta(days=1)
SELLER = "2088000000000001"
_keys = itertools.count()

accounts = st.sampled_from(Account)
legs = st.dictionaries(accounts, st.integers(-(10**9), 10**9).filter(bool), min_size=1, max_size=6)


@given(legs)
def test_legs_become_moves_that_do_the_same_or_are_refused(legs: Legs) -> None:
    if sum(legs.values()):
        with pytest.raises(EntryUnbalanced) as refused:
            rules.moves_of(legs, "CNY")
        assert "分录不平衡" in refused.value.detail_zh
        assert refused.value.fields["debits"] != refused.value.fields["credits"]
    else:
        assert rules.legs_of(rules.moves_of(legs, "CNY")) == legs


@given(legs, accounts)
def test_what_is_missing_makes_what_is_posted_what_is_wanted(legs: Legs, other: Account) -> None:
    wanted = dict(legs)
    wanted[other] = wanted.get(other, 0) - sum(legs.values())
    wanted = {account: minor for account, minor in wanted.items() if minor}
    posted = rules.moves_of({Account.SALES: -7, Account.BANK: 7}, "CNY")
    whole = [*posted, *rules.missing(rules.moves_of(wanted, "CNY"), posted, "CNY")]
    assert rules.legs_of(whole) == wanted


def test_a_move_is_of_something_and_goes_somewhere() -> None:
    for debit, minor in ((Account.SALES, 1), (Account.FEE, 0), (Account.FEE, -1)):
        with pytest.raises(ValueError, match="a move"):
            Move(debit, Account.SALES, Money(minor))


def posted(kind: EntryKind, move: Move) -> Posted:
    return Posted(0, kind, "1", 0, move, START, business_day(START), 1, 1, None)


@given(
    st.integers(1, 10**6),
    st.one_of(st.none(), st.integers(0, 10**6)),
    st.lists(st.integers(1, 10**6), max_size=6),
    st.sampled_from(Payout),
    st.booleans(),
)
def test_refunds_give_back_what_a_payment_brought_and_no_fen_more(
    total: int, receipt: int | None, weights: list[int], payout: Payout, frozen: bool
) -> None:
    whole = Money(total)
    taking = Taking(
        "e", SELLER, 1, 1, whole, None if receipt is None else Money(receipt), frozen, START
    )
    payment = [posted(EntryKind.PAYMENT, move) for move in rules.payment_moves(taking, payout)]
    assert rules.legs_of(one.move for one in payment)[Account.SALES] == -total
    others: list[Posted] = []
    for amount in whole.split(weights) if weights else ():
        back = rules.refund_moves(amount, payment, others) if amount else ()
        others += [posted(EntryKind.REFUND, move) for move in back]
    left = rules.legs_of(one.move for one in (*payment, *others))
    if weights:
        assert left == {Account.SALES: -total, Account.REFUNDS: total}


@given(st.integers(0, 10**9), st.integers(0, 10**6))
def test_an_estimated_fee_is_the_nearest_fen(minor: int, fee_ppm: int) -> None:
    fee = rules.estimated_fee(Money(minor), fee_ppm).minor
    assert abs(fee * rules.PPM - minor * fee_ppm) * 2 <= rules.PPM
    assert rules.estimated_fee(Money.parse("100.00"), rules.FEE_PPM) == Money.parse("0.60")


@contextmanager
def opened(directory: Path) -> Generator[Database]:
    database = Database(database_url(directory))
    yield database
    database.dispose()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Generator[Database]:
    with opened(tmp_path_factory.mktemp("ledger")) as database:
        yield database


def entry(key: str, minor: int, *, at: int = 0, seller: str = SELLER) -> Entry:
    moves = (Move(Account.AVAILABLE, Account.SALES, Money(minor)),)
    return Entry("emulator", seller, EntryKind.MANUAL, key, START + at * DAY, moves)


def holds(database: Database, seller: str, day: int) -> int:
    """What the account had at that moment."""
    with database.read() as tx:
        book = store.find_book(tx, "emulator", seller, "CNY")
        assert book is not None
        return read_balances(tx, book, START + day * DAY)[Account.AVAILABLE]


ACTS = st.one_of(
    st.tuples(st.sampled_from(["post", "bring"]), st.integers(0, 5), st.integers(1, 1000)),
    st.tuples(st.sampled_from(["reverse"]), st.integers(0, 5), st.just(0)),
    st.tuples(st.sampled_from(["sum", "lock"]), st.just(0), st.just(0)),
)


@settings(
    deadline=None,
    max_examples=examples(60),
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(ACTS, max_size=12), st.data())
def test_no_sequence_unbalances_a_book_and_each_entry_is_posted_once(
    database: Database, acts: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    seller = f"S{next(_keys)}"
    held: dict[int, int] = {}
    taken_back: dict[int, int] = {}
    with database.begin() as tx:
        store.hold_book(tx, "emulator", seller, "CNY")
    for act, number, minor in acts:
        day = data.draw(st.integers(0, 3))
        told = entry(str(number), minor or 1, at=day, seller=seller)
        with database.begin() as tx:
            book = store.hold_book(tx, "emulator", seller, "CNY")
            if act == "post":
                assert post_entry(tx, told) == (number not in held)
                held.setdefault(number, minor)
            elif act == "bring":
                assert bring_to(tx, told) == (held.get(number) != minor)
                held[number] = minor
            elif act == "sum":
                _sum_up(tx)
            elif act == "lock":
                if book.locked_through is None or business_day(told.at) > book.locked_through:
                    lock_day(tx, book, business_day(told.at), SYSTEM, START + 9 * DAY)
            elif number not in held:
                with pytest.raises(EntryNotFound):
                    reverse_entry(tx, book, EntryKind.MANUAL, str(number), told.at)
            elif number in taken_back:
                with pytest.raises(EntryPosted):
                    reverse_entry(tx, book, EntryKind.MANUAL, str(number), told.at)
            else:
                reverse_entry(tx, book, EntryKind.MANUAL, str(number), told.at)
                taken_back[number] = held[number]
    stands = sum(held.values()) - sum(taken_back.values())
    assert holds(database, seller, 30) == stands
    with database.read() as tx:
        book = store.find_book(tx, "emulator", seller, "CNY")
        assert book is not None
        first = business_day(START)
        days = [
            read_trial_balance(tx, book, first + n * DAY, first + n * DAY) for n in range(-1, 6)
        ]
        for day in days:
            assert sum(one.opening for one in day.accounts) == 0
            assert sum(one.debits - one.credits for one in day.accounts) == 0
            assert sum(one.closing for one in day.accounts) == 0
        for before, after in itertools.pairwise(days):
            assert [one.closing for one in before.accounts] == [o.opening for o in after.accounts]
        assert days[-1].accounts[0].closing == stands


def _sum_up(tx: Tx) -> None:
    """Puts a part of what was posted into the sums, as the duty does in time."""
    at = lock_position(tx, store.MOVES)
    assert at is not None
    upto = last_id(tx, store.MOVES)
    store.add_to_sums(tx, at.position, upto)
    set_position(tx, store.MOVES.name, position=upto, ceiling=upto)


def test_what_happened_on_a_locked_day_is_posted_to_the_next_open_one(database: Database) -> None:
    seller = "LOCKED"
    with database.begin() as tx:
        book = store.hold_book(tx, "emulator", seller, "CNY")
        today = business_day(START)
        post_entry(tx, entry("early", 100, seller=seller))
        with pytest.raises(DayNotOver):
            lock_day(tx, book, today, SYSTEM, START)
        with pytest.raises(DayNotLocked):
            require_locked(book, today)
        assert lock_day(tx, book, today, SYSTEM, START + 2 * DAY).locked_name == SYSTEM.name
    with database.begin() as tx:
        book = store.hold_book(tx, "emulator", seller, "CNY")
        assert book.locked_through == today
        require_locked(book, today)
        with pytest.raises(DayLocked):
            require_open(book, today)
        with pytest.raises(DayLocked):
            lock_day(tx, book, today, SYSTEM, START + 2 * DAY)
        require_open(book, today + DAY)
        assert post_entry(tx, entry("late", 11, seller=seller))
        assert store.list_locks(tx, book.id, 10) == [store.find_lock(tx, book.id, today)]
    with database.read() as tx:
        (early,) = list_account(tx, book, Account.SALES, today)
        (late,) = list_account(tx, book, Account.SALES, today + DAY)
        of_today = read_trial_balance(tx, book, today, today)
    assert (early.key, late.key) == ("early", "late")
    assert (late.booked_on, business_day(late.at)) == (today + DAY, today)
    assert of_today.accounts[0].closing == 100


def test_pages_of_an_account_go_on_where_the_last_one_ended(database: Database) -> None:
    seller = "PAGES"
    with database.begin() as tx:
        for number in range(5):
            post_entry(tx, entry(str(number), 1 + number, seller=seller))
    with database.read() as tx:
        book = store.find_book(tx, "emulator", seller, "CNY")
        assert book is not None
        seen: list[Posted] = []
        while page := list_account(
            tx,
            book,
            Account.AVAILABLE,
            business_day(START),
            after_id=seen[-1].id if seen else 0,
            rows_max=2,
        ):
            seen += page
    assert [one.key for one in seen] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("is_group", [False, True])
def test_a_day_is_closed_after_whoever_posts_to_it(database: Database, is_group: bool) -> None:
    seller = f"RACE{is_group}"
    today = business_day(START)
    with database.begin() as tx:
        book = store.hold_book(tx, "emulator", seller, "CNY")

    def post(tx: Tx, number: int) -> None:
        if is_group:
            taking = Taking("emulator", seller, number, 1, Money(100), None, False, START)
            post_new_takings(tx, [taking], START + DAY)
        else:
            post_entry(tx, entry(str(number), 100, seller=seller))

    def close() -> None:
        with database.begin() as tx:
            lock_day(tx, book, today, SYSTEM, START + 2 * DAY)

    closing = threading.Thread(target=close)
    with database.begin() as tx:
        post(tx, 1)
        closing.start()
        closing.join(0.3)
        assert closing.is_alive()
    closing.join(30)
    with database.begin() as tx:
        post(tx, 2)
        posted_to = [
            [one.key for one in list_account(tx, book, Account.SALES, day)]
            for day in (today, today + DAY)
        ]
    assert posted_to == [["1"], ["2"]]
