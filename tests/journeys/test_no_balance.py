"""The seller's account is empty: a refund waits and people are told, and it goes out once."""

from __future__ import annotations

from daozhang.money import Money
from worlds import World


def test_a_refund_waits_for_money_and_is_then_paid_once(world: World) -> None:
    number = world.order("88.88")
    world.pay(number)
    world.settle()
    world.emulator.set_fault("seller_balance_not_enough", out_trade_no=number)
    assert world.refund(number, "8.88", "R-1").status_code in (200, 201, 202)
    world.advance(3600)
    (waiting,) = world.refunds(number)
    assert waiting["status"] == "requested"
    assert waiting["last_code"] == "ACQ.SELLER_BALANCE_NOT_ENOUGH"
    assert "order.surprise" in world.events(number)
    assert world.read(number)["refunded_amount"] == "0.00"
    world.emulator.clear_faults()
    world.advance(24 * 3600)
    (refund,) = world.refunds(number)
    assert refund["status"] == "succeeded"
    trade = next(one for one in world.emulator.trades if one.out_trade_no == number)
    assert [one.amount for one in trade.refunds] == [Money.parse("8.88")]
    assert world.events(number).count("refund.succeeded") == 1
