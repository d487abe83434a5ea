"""The books of a shop: what was paid and what went back, what came late, and what was booked before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from daozhang.clock import business_day, to_beijing_text
from daozhang.money import Money
from daozhang.service.audit.model import SYSTEM
from daozhang.service.ledger import store
from daozhang.service.ledger.locking import lock_day
from daozhang.service.ledger.model import Account, Book, EntryKind
from daozhang.service.ledger.reading import list_account, read_balances, read_trial_balance
from daozhang.service.progress import positions
from deployment import SELLER_ID
from refund_world import TOTAL, Shop, open_shop
from worlds import START, find_order

DAY_SECONDS = 24 * 3600


def book_of(shop: Shop) -> Book:
    with shop.service.context.database.read() as tx:
        book = store.find_book(tx, "emulator", SELLER_ID, "CNY")
    assert book is not None
    return book


def holds(shop: Shop) -> Mapping[Account, int]:
    """What each account has now, but for those that have nothing."""
    book, now = book_of(shop), shop.clock.now()
    with shop.service.context.database.read() as tx:
        found = read_balances(tx, book, now)
        closing = read_trial_balance(tx, book, business_day(START), business_day(now))
    assert found == {one.account: one.closing for one in closing.accounts}
    assert closing.backfilling_until is None
    return {account: minor for account, minor in found.items() if minor}


def test_what_is_paid_and_goes_back_is_in_the_books(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        number = shop.paid_order()
        assert holds(shop) == {Account.AVAILABLE: 1000, Account.SALES: -1000}
        shop.refund(number, Money.parse("3.00"), "R-1")
        shop.pass_time(60)
        shop.tell_refund(number, "R-1", Money.parse("3.00"))
        shop.tell(number)
        shop.pass_time(60)
        paid_back = {Account.AVAILABLE: 700, Account.SALES: -1000, Account.REFUNDS: 300}
        assert holds(shop) == paid_back

        # A voucher of the merchant's paid two yuan of this one; the second notice says the same.
        other = _create(shop, "V-1")
        for _ in range(2):
            shop.tell(other, receipt_amount="8.00")
        assert holds(shop) == {
            Account.AVAILABLE: 1500,
            Account.MERCHANT_DISCOUNT: 200,
            Account.SALES: -2000,
            Account.REFUNDS: 300,
        }
        # Refunded outside, whole, before anybody here has heard that it was paid.
        gone = _create(shop, "G-1")
        nothing = {"receipt_amount": None, "buyer_pay_amount": None}
        shop.tell(gone, trade_status="TRADE_CLOSED", refund_fee=str(TOTAL), **nothing)
        shop.pass_time(DAY_SECONDS)
        stands = holds(shop)
        assert (stands[Account.SALES], stands[Account.REFUNDS]) == (-3000, 1300)
        assert stands[Account.AVAILABLE] == 1500
        book = book_of(shop)
        with shop.service.context.database.read() as tx:
            told = store.list_of_order(tx, book, find_order(tx, gone))
        assert [one.kind for one in told] == [EntryKind.PAYMENT, EntryKind.REFUND]


def test_what_is_learned_later_of_a_payment_is_posted_beside_it(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        number = _create(shop, "L-1")
        shop.tell(number, receipt_amount=None, notify_id="first")
        assert holds(shop) == {Account.AVAILABLE: 1000, Account.SALES: -1000}
        shop.tell(number, receipt_amount="8.00", notify_id="second")
        shop.pass_time(60)
        assert holds(shop) == {
            Account.AVAILABLE: 800,
            Account.MERCHANT_DISCOUNT: 200,
            Account.SALES: -1000,
        }


def test_a_fact_of_a_locked_day_is_posted_to_the_next_one(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.paid_order()
        late = _create(shop, "L-1")
        shop.pass_time(DAY_SECONDS)
        day = business_day(START)
        book = book_of(shop)
        with shop.service.context.database.begin() as tx:
            lock_day(tx, book, day, SYSTEM, shop.clock.now(), "closed")
        shop.tell(late, gmt_payment=to_beijing_text(START))
        shop.pass_time(0)
        with shop.service.context.database.read() as tx:
            closed = read_trial_balance(tx, book, day, day)
            (told,) = list_account(tx, book, Account.AVAILABLE, day + timedelta(days=1))
        assert closed.accounts[0].closing == 1000
        assert (told.move.amount, business_day(told.at)) == (TOTAL, day)
        assert holds(shop)[Account.AVAILABLE] == 2000


def test_what_was_booked_before_the_ledger_was_there_is_posted_to_it(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        numbers = [shop.paid_order() for _ in range(3)]
        shop.refund(numbers[0], Money.parse("3.00"), "R-1")
        shop.pass_time(DAY_SECONDS)
        before = holds(shop)
        with shop.service.context.database.begin() as tx:
            for table in (store.moves, store.sums, store.books, store.backfill):
                tx.execute(sa.delete(table))
            tx.execute(sa.delete(positions).where(positions.c.name == store.MOVES.name))
        # This one is refunded by today's code, while its payment is still to be posted.
        shop.refund(numbers[1], Money.parse("1.00"), "R-2")
        shop.pass_time(60)
        after = {**before, Account.AVAILABLE: before[Account.AVAILABLE] - 100}
        assert holds(shop) == {**after, Account.REFUNDS: 400}
        # Code from before books one more, which is found a day later.
        number = shop.paid_order()
        with shop.service.context.database.begin() as tx:
            order_id = find_order(tx, number)
            tx.execute(sa.delete(store.moves).where(store.moves.c.order_id == order_id))
        shop.pass_time(DAY_SECONDS)
        assert holds(shop)[Account.AVAILABLE] == after[Account.AVAILABLE] + 1000


def _create(shop: Shop, number: str) -> str:
    body = {"out_trade_no": number, "amount": str(TOTAL), "subject": "Tea"}
    assert shop.api.post("/v1/orders", json=body).status_code == 201
    return number
