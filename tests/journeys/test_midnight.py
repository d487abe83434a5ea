"""What is learned after midnight of what Alipay did before it: it is posted on Alipay's day."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date, timedelta

import pytest

from daozhang.clock import business_day
from daozhang.emulator.accounts import Pot
from daozhang.service.ledger.configuring import set_book_as
from daozhang.service.ledger.model import Account, Payout
from daozhang.service.ledger.reading import book_of, read_balances
from people_here import add_person
from reconciling import mismatches, morning_after, seller, to_hour
from sharing import AGENCY, COURIER, bind, paid, share, shared, switch
from worlds import World, running

SETTLE = "alipay.trade.order.settle"
QUERY = "alipay.trade.order.settle.query"
REFUND = "alipay.trade.refund"
REFUND_QUERY = "alipay.trade.fastpay.refund.query"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop that shares, and whose bills are fetched."""
    with running(tmp_path_factory.mktemp("world"), chosen={"fetch_bills": True}) as made:
        gateway = f"{made.service.context.settings.public_url}/alipay/notify/shop"
        switch(made, gateway_url=gateway)
        bind(made, AGENCY, COURIER)
        yield made


@pytest.fixture(autouse=True)
def day(world: World) -> date:
    """A day of its own for each test; it is five seconds to midnight."""
    to_hour(world, 23, days=1)
    world.advance(59 * 60 + 55)
    return business_day(world.clock.now())


def comes_out(world: World, day: date) -> None:
    """The bills of both days agree, and never did not."""
    world.emulator.clear_faults()
    morning_after(world)
    assert business_day(world.clock.now()) > day
    assert mismatches(world, day, is_open=None) == []


def test_a_share_whose_answer_is_lost(world: World, day: date) -> None:
    number = paid(world)
    world.emulator.set_fault("gateway_timeout_after_success", method=SETTLE, times=1, seconds=0)
    shared(world, number, f"A-{day}", (AGENCY, "20.00"))
    assert world.read(number)["shared_amount"] == "0.00"  # nobody knows yet
    to_hour(world, 0, days=1)
    world.advance(60)
    assert world.read(number)["shared_amount"] == "20.00"
    to_hour(world, 1)
    comes_out(world, day)


def test_a_share_that_is_told_of_by_a_message_that_is_late(world: World, day: date) -> None:
    number = paid(world)
    world.emulator.set_fault("gateway_20000", method=QUERY)
    world.postman.holding = True
    share(world, number, f"B-{day}", (AGENCY, "20.00"), mode="async")
    world.settle()
    world.advance(4)
    world.postman.holding = False
    assert business_day(world.clock.now()) == day
    assert world.read(number)["shared_amount"] == "0.00"
    world.advance(300)
    assert world.read(number)["shared_amount"] == "20.00"
    comes_out(world, day)


def test_a_refund_that_its_notice_proves(world: World, day: date) -> None:
    number = paid(world)
    shared(world, number, f"C-{day}", (AGENCY, "20.00"))
    world.emulator.set_fault("gateway_timeout_after_success", method=REFUND, seconds=0)
    world.emulator.set_fault("gateway_20000", method=REFUND_QUERY)
    world.emulator.set_fault("notify_out_of_order", seconds=30)
    assert world.refund(number, "90.00", f"R-{day}").status_code == 201  # 10.00 comes back with it
    world.settle()
    assert world.read(number)["refunded_amount"] == "0.00"
    world.advance(60)
    assert business_day(world.clock.now()) > day
    assert world.read(number)["refunded_amount"] == "90.00"
    comes_out(world, day)


def test_shares_of_what_is_paid_out_later(world: World, day: date) -> None:
    context = world.service.context
    switch(world, settlement_days=1)
    owner = add_person(context, "owner")
    set_book_as(context, owner, 1, payout=Payout.LATER, fee_ppm=6000)
    number = paid(world)
    shared(world, number, f"D-{day}", (AGENCY, "20.00"))
    world.advance(7)
    assert world.refund(number, "90.00", f"R-{day}").status_code == 201  # with 10.00 that come back
    world.advance(60)
    later = paid(world)
    shared(world, later, f"E-{day}", (AGENCY, "25.00"))
    world.advance(60)
    # It is paid out on the next working day; every day is even by itself.
    for days in range(4):
        morning_after(world)
        assert mismatches(world, day + timedelta(days=days), is_open=None) == []
    with context.database.read() as tx:
        held = read_balances(tx, book_of(tx, 1), context.clock.now())
    account = world.emulator.desk.account
    assert held[Account.AVAILABLE] == account.balance(seller(world)).minor
    assert held[Account.UNSETTLED] == account.balance(seller(world), Pot.UNSETTLED).minor == 0
