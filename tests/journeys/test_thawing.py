"""Money that was frozen for sharing and nobody shared: after 30 days it is the seller's, here as at Alipay."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from daozhang.clock import to_beijing_text
from daozhang.service.ledger.model import Account
from sharing import AGENCY, booked, paid, ready, refund, shared, standing, switch
from worlds import World

SETTLED = "alipay.trade.order.settle.notify"
DAY = 86_400
FROZEN = {"royalty_freeze": True}


@pytest.fixture
def world(shared_world: World) -> World:
    """Each test has orders of its own; freezes end by themselves, and are told of."""
    ready(shared_world)
    switch(shared_world, thaw_notified=True)
    return shared_world


def held(world: World, number: str) -> tuple[int, int]:
    """What of the order is frozen, and what can be spent, by the books."""
    found = booked(world, number)
    return found.get(Account.FROZEN, 0), found.get(Account.AVAILABLE, 0)


def parked(world: World, number: str) -> str:
    """What of the order Alipay holds frozen."""
    trade = world.emulator.trade(number)
    return str(world.emulator.desk.accounts.parked(trade.request.seller_id, trade.trade_no))


def thaw(world: World, number: str, **more: Any) -> None:
    """Alipay's message about it, once more."""
    content = {"msg_type": "AUTO_SETTLE_FINISH", "trade_no": trade_no(world, number), **more}
    world.emulator.send_message(SETTLED, content, app="shop")
    world.settle()


def trade_no(world: World, number: str) -> str:
    return world.emulator.trade(number).trade_no


def test_what_nobody_shared_is_let_go_when_alipay_says_so(world: World) -> None:
    number, other = paid(world, pay_options=FROZEN), paid(world, pay_options=FROZEN)
    shared(world, number, "A-1", (AGENCY, "20.00"))
    refund(world, other, "40.00", "A-R")
    world.settle()
    assert (held(world, number), held(world, other)) == ((8000, 0), (6000, 0))

    world.advance(30 * DAY - 600)
    assert held(world, number) == (8000, 0)
    world.advance(600)

    assert parked(world, number) == "0.00"
    assert (held(world, number), held(world, other)) == ((0, 8000), (0, 6000))
    thaw(world, number)  # told twice it is posted once
    assert held(world, number) == (0, 8000)
    shared(world, number, "A-2", (AGENCY, "5.00"))
    assert held(world, number) == (0, 7500)
    assert standing(world, number)[-1][2] == "succeeded"


def test_the_day_is_alipays_and_not_that_of_the_message(world: World) -> None:
    number = paid(world, pay_options=FROZEN)
    world.emulator.set_fault("notify_never")
    world.advance(30 * DAY)
    world.emulator.clear_faults()
    assert (parked(world, number), held(world, number)) == ("0.00", (10000, 0))

    world.advance(2 * DAY)
    thawed_at = world.service.context.clock.now() - timedelta(days=2)
    said = {"operation_finish_dt": to_beijing_text(thawed_at), "royalty_finish_amount": "99.40"}
    thaw(world, number, **said)

    assert held(world, number) == (0, 10000)
    story = world.api.get(f"/v1/orders/{number}/story").json()
    (entry,) = [one for one in story["ledger"] if one["kind"] == "settlement"]
    assert datetime.fromisoformat(entry["at"]) == thawed_at.replace(microsecond=0)


def test_a_message_about_what_is_not_frozen_changes_nothing(world: World) -> None:
    plain, number = paid(world), paid(world, pay_options=FROZEN)
    shared(world, number, "C-1", (AGENCY, "20.00"), finish=True)
    thaw(world, plain)
    thaw(world, number)
    world.emulator.send_message(
        SETTLED, {"msg_type": "AUTO_SETTLE_FINISH", "trade_no": "1"}, app="shop"
    )
    world.emulator.send_message(SETTLED, {"msg_type": "AUTO_SETTLE_FINISH"}, app="shop")
    world.settle()
    assert (held(world, plain), held(world, number)) == ((0, 10000), (0, 8000))
