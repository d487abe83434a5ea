"""The account bill: what only it tells is posted from it, and each day comes out to the fen or is found."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from daozhang.clock import business_day
from daozhang.emulator.account_desk import AccountDesk
from daozhang.emulator.accounts import Business, Pot
from daozhang.emulator.bills import Span
from daozhang.emulator.oddities import OddityName
from daozhang.emulator.switches import Switches
from daozhang.money import Money
from daozhang.service.audit.model import SYSTEM
from daozhang.service.bills import store as bills
from daozhang.service.bills.keeping import choose_file, keep_file
from daozhang.service.bills.model import FileOrigin, StatementKind, StatementStatus
from daozhang.service.bills.refusals import BillStands
from daozhang.service.ledger import store as ledger
from daozhang.service.ledger.actions import post_entry
from daozhang.service.ledger.configuring import set_book_as
from daozhang.service.ledger.model import Account, Entry, EntryKind, Move, Payout
from daozhang.service.ledger.reading import read_trial_balance
from daozhang.service.orders.store import find_order_by_id
from daozhang.service.reconciliation import store
from daozhang.service.reconciliation.account_checking import check_of_day
from daozhang.service.reconciliation.account_rules import AccountCheck
from daozhang.service.reconciliation.model import Mismatch, MismatchClass, Run
from daozhang.service.reconciliation.telling import tell
from daozhang.service.refunds.attempts import Attempts
from daozhang.service.refunds.model import Outcome
from daozhang.service.transfers.limits import set_limits
from daozhang.service.transfers.model import TransferLimits
from people_here import add_person
from reconciling import (
    mismatches,
    morning_after,
    odd,
    pay,
    seller,
    statement,
    to_hour,
)
from sharing import AGENCY, bind, paid, shared
from worlds import World, find_order, running

ACCOUNT = StatementKind.ACCOUNT


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop whose bills are fetched, at ten in the morning."""
    with running(tmp_path_factory.mktemp("world"), chosen={"fetch_bills": True}) as made:
        to_hour(made, 10, days=1)
        yield made


@pytest.fixture
def day(world: World) -> date:
    """Today."""
    return business_day(world.clock.now())


def desk(world: World) -> AccountDesk:
    return world.emulator.desk.account


def check(world: World, day: date) -> AccountCheck:
    with world.service.context.database.read() as tx:
        found = check_of_day(tx, "emulator", seller(world), day)
    assert found is not None
    return found


def off(world: World, day: date) -> list[Mismatch]:
    return [one for one in mismatches(world, day) if one.kind is ACCOUNT]


def run_of_account(world: World, day: date) -> Run:
    statement_id = statement(world, day, ACCOUNT).id
    with world.service.context.database.read() as tx:
        found = store.last_run(tx, statement_id)
    assert found is not None
    return found


def did(world: World, day: date) -> dict[Account, int]:
    """What the day did to each account, in fen; all of it together is nothing."""
    with world.service.context.database.read() as tx:
        book = ledger.find_book(tx, "emulator", seller(world), "CNY")
        assert book is not None
        balance = read_trial_balance(tx, book, day, day)
    assert sum(one.closing for one in balance.accounts) == 0
    found = {one.account: one.debits - one.credits for one in balance.accounts}
    return {account: minor for account, minor in found.items() if minor}


def move_count(world: World) -> int:
    with world.service.context.database.read() as tx:
        counted = tx.execute(sa.select(sa.func.count()).select_from(ledger.moves))
        return int(counted.scalar_one())


def read_again(world: World, day: date) -> None:
    world.service.reconciler.run(statement(world, day, ACCOUNT).id)


def test_a_day_of_everything_comes_out_to_the_fen(world: World, day: date) -> None:
    first = pay(world, "88.88")
    pay(world, "100.00")
    world.advance(5)
    world.refund(first, "8.88", "R-1")
    world.advance(60)
    desk(world).withdraw(seller(world), Money.parse("500.00"))
    world.advance(60)
    desk(world).withdrawal_bounces(seller(world), Money.parse("200.00"))
    desk(world).top_up(seller(world), Money.parse("50.00"))
    morning_after(world)

    assert off(world, day) == []
    assert did(world, day) == {
        # 188.88 sold, 8.88 given back; 1.13 of fees, 0.05 of them returned.
        Account.SALES: -18888,
        Account.REFUNDS: 888,
        Account.FEE: 113 - 5,
        Account.WITHDRAWAL_IN_TRANSIT: 30000,
        Account.BANK: -5000,
        Account.AVAILABLE: 18000 - 108 - 30000 + 5000,
    }
    assert did(world, day - timedelta(days=1)) == {
        Account.AVAILABLE: 100_000_000,
        Account.OPENING: -100_000_000,
    }
    found = check(world, day)
    assert found.agrees
    assert (found.opening, found.ledger_opening) == (Money(100_000_000), Money(100_000_000))
    assert found.stated_closing == found.closing == found.ledger_closing
    assert found.stated_closing == desk(world).balance(seller(world))
    run = run_of_account(world, day)
    assert (run.line_count, run.matched_count) == (9, 9)
    assert (run.figures["difference"], run.figures["gap"]) == (0, 0)

    posted = move_count(world)
    read_again(world, day)
    assert (move_count(world), off(world, day)) == (posted, [])

    # The next day needs no opening; a day on which nothing happens is as good.
    pay(world, "1.00")
    day += timedelta(days=1)
    morning_after(world)
    morning_after(world)
    assert did(world, day) == {Account.SALES: -100, Account.FEE: 1, Account.AVAILABLE: 99}
    quiet = check(world, day + timedelta(days=1))
    assert (quiet.agrees, quiet.stated_closing) == (True, None)
    assert off(world, day) == off(world, day + timedelta(days=1)) == []


def test_a_fen_too_much_is_found_and_another_file_sets_it_right(world: World, day: date) -> None:
    pay(world, "10.00")
    morning_after(world)
    pay(world, "50.00")
    day += timedelta(days=1)
    odd(world, OddityName.AMOUNT_OFF, bill_type=ACCOUNT.value, lines=2)
    morning_after(world)
    (found,) = off(world, day)
    assert (found.mismatch, found.key) == (MismatchClass.AMOUNT_DIFFERS, "balance")
    # The fee is off, too, and was posted as the bill says it.
    assert did(world, day)[Account.FEE] == 31
    assert not check(world, day).agrees
    assert found.evidence["bill"]["sums"] == run_of_account(world, day).figures["bill"]["sums"]

    # What came on one day is not found again on the next.
    desk(world).oddities.clear()
    pay(world, "5.00")
    morning_after(world)
    assert off(world, day + timedelta(days=1)) == []
    assert check(world, day + timedelta(days=1)).carried == Money(-1)

    _import_again(world, day)
    assert off(world, day) == []
    assert did(world, day) == {Account.SALES: -5000, Account.FEE: 30, Account.AVAILABLE: 4970}
    assert check(world, day).agrees
    assert check(world, day + timedelta(days=1)).agrees


def _import_again(world: World, day: date) -> None:
    """A person fetches the bill anew, and lets it stand in place of the one that is here."""
    context = world.service.context
    account = statement(world, day, ACCOUNT)
    jobs = world.service.jobs
    path = _bill_file(world, day)
    with pytest.raises(BillStands):
        keep_file(context, jobs, SYSTEM, account, path, "again.zip", FileOrigin.UPLOADED)
    with context.database.read() as tx:
        newest = bills.list_files(tx, account.id)[0]
    choose_file(context, jobs, SYSTEM, account.id, newest.public_id)
    world.settle()


def _bill_file(world: World, day: date) -> Path:
    path = world.service.context.settings.data_dir / "again.zip"
    span = Span(day, 1, f"{day:%Y%m%d}")
    path.write_bytes(desk(world).bill(seller(world), ACCOUNT.value, span))
    return path


def test_what_is_kept_is_read_wherever_its_keeper_stopped(world: World, day: date) -> None:
    pay(world, "10.00")
    to_hour(world, 8, days=1)
    service, account = world.service, statement(world, day, ACCOUNT)
    path = _bill_file(world, day)
    keep_file(service.context, service.jobs, SYSTEM, account, path, "a.zip", FileOrigin.UPLOADED)
    assert statement(world, day, ACCOUNT).status is StatementStatus.KEPT
    world.stop_service()
    world.start_service()
    world.settle()
    assert statement(world, day, ACCOUNT).status is StatementStatus.READY
    assert check(world, day).agrees


def test_what_another_system_takes_is_found_until_a_rule_sets_it_aside(
    world: World, day: date
) -> None:
    pay(world, "10.00")
    odd(world, OddityName.FOREIGN_LINE, bill_type=ACCOUNT.value)
    morning_after(world)
    (found,) = off(world, day)
    assert (found.key, (found.theirs_minor or 0) - (found.ours_minor or 0)) == ("balance", 888)
    rule = {
        "environment": "emulator",
        "seller_id": seller(world),
        "prefix": "OTHER",
        "made_by": "system",
        "made_at": world.clock.now(),
    }
    with world.service.context.database.begin() as tx:
        tx.execute(sa.insert(store.foreign_rules).values(**rule))
    read_again(world, day)
    assert off(world, day) == []
    assert did(world, day)[Account.OTHER] == -888
    assert check(world, day).agrees


def test_what_midnight_cuts_ends_by_itself(world: World, day: date) -> None:
    pay(world, "10.00")
    world.advance(5)
    number = pay(world, "20.00")
    odd(world, OddityName.DAY_CUT, number, bill_type=ACCOUNT.value, day=day)
    morning_after(world)
    (found,) = off(world, day)
    assert (found.key, (found.ours_minor or 0) - (found.theirs_minor or 0)) == ("balance", 2000)
    pay(world, "1.00")
    morning_after(world)
    assert off(world, day) == off(world, day + timedelta(days=1)) == []
    (ended,) = [one for one in mismatches(world, day, is_open=False) if one.kind is ACCOUNT]
    assert ended.resolution == "day_cut"
    read_again(world, day)
    assert off(world, day) == []
    assert check(world, day + timedelta(days=1)).agrees


def test_a_payment_that_is_shown_as_something_else_is_found(world: World, day: date) -> None:
    app = world.emulator.credentials("shop")["app_id"]
    world.emulator.desk.set_switches(app, Switches(fee_basis_points=0))
    pay(world, "10.00")
    number = pay(world, "20.00")
    odd(world, OddityName.TYPE_DIFFERS, number, bill_type=ACCOUNT.value)
    morning_after(world)
    # The account comes out all the same.
    assert check(world, day).agrees
    assert {
        (one.mismatch, one.key): (one.ours_minor, one.theirs_minor) for one in off(world, day)
    } == {
        (MismatchClass.STATE_DIFFERS, "group:trades"): (3000, 1000),
        (MismatchClass.STATE_DIFFERS, "group:transfers"): (0, 2000),
    }
    assert run_of_account(world, day).matched_count == 0


def test_a_share_and_a_transfer_that_differ_are_told_by_their_numbers(
    world: World, day: date
) -> None:
    bind(world, AGENCY)
    right, off_by_a_fen, gone = (paid(world) for _ in range(3))
    for number in (right, off_by_a_fen, gone):
        shared(world, number, f"S-{number}", (AGENCY, "10.00"))
    sent = {
        "amount": "50.00",
        "payee": {"kind": "user_id", "identity": "2088000000000001"},
        "title": "三月佣金",
    }
    context = world.service.context
    with context.database.begin() as tx:
        set_limits(tx, context, SYSTEM, 1, TransferLimits(None, None, None, None))
    for number in ("T-right", "T-late"):
        answer = world.api.post("/v1/transfers", json={"out_biz_no": number, **sent})
        assert answer.status_code in (201, 202), answer.text
        world.settle()  # the one that midnight cuts is the day's last: its line tells the balance
    world.advance(60)
    for name, number, business in (
        (OddityName.AMOUNT_OFF, off_by_a_fen, "分账"),
        (OddityName.MISSING_LINE, gone, "分账"),
        (OddityName.DAY_CUT, "T-late", "转账"),
    ):
        odd(world, name, number, bill_type=ACCOUNT.value, business=business)
    morning_after(world)
    found = {one.key: one for one in off(world, day)}
    # A line that is missing leaves the bill's own balance in the air as well.
    assert found.pop("balance").mismatch is MismatchClass.AMOUNT_DIFFERS
    told = {key: (one.mismatch, one.ours_minor, one.theirs_minor) for key, one in found.items()}
    assert told == {
        f"share:{off_by_a_fen}": (MismatchClass.AMOUNT_DIFFERS, -1000, -1001),
        f"share:{gone}": (MismatchClass.MISSING_THERE, -1000, None),
        "transfer:T-late": (MismatchClass.MISSING_THERE, -5000, None),
    }
    assert tell(found[f"share:{gone}"]) == (
        f"shares of {gone}: the books have -10.00, the bill has nothing",
        f"分账，订单 {gone}：本系统有 -10.00，账单没有记录",
    )
    morning_after(world)
    # What midnight cut stands in the next day's bill, and with it the balance comes out.
    left = told.keys() - {"transfer:T-late"}
    assert {one.key for one in off(world, day)} == left
    assert off(world, day + timedelta(days=1)) == []
    read_again(world, day)
    assert {one.key for one in off(world, day)} == left
    world.emulator.desk.account.oddities.clear()


def test_what_is_paid_out_later_is_settled_by_the_bill(world: World, day: date) -> None:
    context = world.service.context
    pay(world, "10.00")  # there is a book
    app = world.emulator.credentials("shop")["app_id"]
    world.emulator.desk.set_switches(app, Switches(settlement_days=1))
    set_book_as(context, add_person(context, "owner"), 1, payout=Payout.LATER, fee_ppm=6000)
    world.advance(60)
    number = pay(world, "100.00")
    pay(world, "40.00")
    world.advance(60)
    world.refund(number, "30.00", "R-1")
    morning_after(world)
    assert off(world, day) == []
    assert did(world, day)[Account.UNSETTLED] == 11000
    paid_out = day + timedelta(days=1)
    # Refunded when it has been paid out, which nobody here has read yet.
    world.refund(number, "5.00", "R-2")
    morning_after(world)
    assert off(world, paid_out) == []
    assert check(world, paid_out).agrees
    stands = did(world, paid_out)
    assert (stands[Account.UNSETTLED], stands[Account.REFUNDS]) == (-11000, 500)
    assert desk(world).balance(seller(world), Pot.UNSETTLED) == Money(0)
    posted = move_count(world)
    read_again(world, paid_out)
    assert (move_count(world), off(world, paid_out)) == (posted, [])


def test_what_two_midnights_in_a_row_cut_ends_by_itself(world: World, day: date) -> None:
    pay(world, "10.00")
    for fen in (2000, 3300):
        today = business_day(world.clock.now())
        world.advance(5)
        number = pay(world, str(Money(fen)))
        odd(world, OddityName.DAY_CUT, number, bill_type=ACCOUNT.value, day=today)
        morning_after(world)
    assert [one.day for one in off(world, day)] == [day]
    assert [one.day for one in off(world, day + timedelta(days=1))] == [day + timedelta(days=1)]
    pay(world, "1.00")
    morning_after(world)
    for days in range(3):
        assert off(world, day + timedelta(days=days)) == []
    for days in range(2):
        read_again(world, day + timedelta(days=days))
        assert off(world, day + timedelta(days=days)) == []


def test_what_is_learned_of_a_day_that_was_read_sets_it_right(world: World, day: date) -> None:
    number = pay(world, "50.00")
    world.emulator.set_fault("notify_never", out_trade_no=number)
    world.emulator.refund(number, Money(2000), "R-CENTRE")
    morning_after(world)
    assert len(off(world, day)) == 1
    # The day after, too: it was looked at, and begins with what is missing.
    pay(world, "1.00")
    morning_after(world)
    attempts = Attempts(world.service.context, world.service.clients)
    with world.service.context.database.read() as tx:
        order = find_order_by_id(tx, find_order(tx, number))
    assert order is not None
    assert attempts.ask_named(order, "R-CENTRE") is Outcome.PROVEN
    assert did(world, day)[Account.REFUNDS] == 2000
    assert len(off(world, day)) == 1  # nobody has looked again
    pay(world, "1.00")
    morning_after(world)
    for days in range(3):
        assert off(world, day + timedelta(days=days)) == []
        assert check(world, day + timedelta(days=days)).agrees


def test_a_quiet_day_makes_good_what_came_too_late(world: World, day: date) -> None:
    pay(world, "10.00")
    emulated = world.emulator.desk
    emulated.accounts.move(
        seller(world), Money(-2000), business=Business.TRANSFER, at=emulated.now()
    )
    morning_after(world)
    assert len(off(world, day)) == 1
    # Found on a day on which nothing else happens.
    _book_by_hand(world, Money(2000))
    morning_after(world)
    quiet = day + timedelta(days=1)
    assert statement(world, quiet, ACCOUNT).status is StatementStatus.NONE
    assert (off(world, day), off(world, quiet)) == ([], [])
    assert check(world, quiet).agrees


def _book_by_hand(world: World, amount: Money) -> None:
    """What has left the account is taken out of the books."""
    entry = Entry(
        environment="emulator",
        seller_id=seller(world),
        kind=EntryKind.MANUAL,
        key="by-hand",
        at=world.clock.now(),
        moves=(Move(Account.SALES, Account.AVAILABLE, amount),),
    )
    with world.service.context.database.begin() as tx:
        post_entry(tx, entry)


def test_a_quiet_day_before_the_first_bill_brought_nothing(world: World, day: date) -> None:
    morning_after(world)
    pay(world, "10.00")
    morning_after(world)
    assert statement(world, day, ACCOUNT).status is StatementStatus.NONE
    assert did(world, day)[Account.AVAILABLE] == 100_000_000
    pay(world, "1.00")
    morning_after(world)
    for days in range(3):
        assert off(world, day + timedelta(days=days)) == []
        assert check(world, day + timedelta(days=days)).agrees
    read_again(world, day)
    assert off(world, day) == []
