"""A refund that only Alipay's running total shows is never booked for one of ours that is under way."""

from __future__ import annotations

from daozhang.money import Money
from worlds import World

REFUND = "alipay.trade.refund"
ASK = "alipay.trade.fastpay.refund.query"


def test_what_is_missing_of_the_total_may_be_a_refund_of_ours(shared_world: World) -> None:
    world = shared_world
    number = world.order("10.00")
    world.pay(number)
    world.settle()
    # Ours has moved 3.00, and for a while nobody can tell.
    world.emulator.set_fault("notify_never", out_trade_no=number)
    world.emulator.set_fault(
        "gateway_timeout_after_success", method=REFUND, out_trade_no=number, times=1, seconds=0
    )
    world.emulator.set_fault("gateway_20000", method=ASK, out_trade_no=number)
    world.refund(number, "3.00", "R1")
    world.settle()
    # Somebody refunds 2.00 in the merchant centre, and the notice of it is lost.
    world.emulator.refund(number, Money.parse("2.00"), "centre")
    # The answer to the next of ours tells a running total of 6.00.
    world.advance(5)
    world.refund(number, "1.00", "R2")
    world.settle()
    world.advance(300)
    assert {r["out_request_no"]: r["status"] for r in world.refunds(number)} == {
        "R1": "unknown",
        "R2": "succeeded",
        None: "unknown",
    }

    world.emulator.clear_faults()
    world.advance(3600)

    booked = {r["out_request_no"]: (r["status"], r["amount"]) for r in world.refunds(number)}
    assert booked == {
        "R1": ("succeeded", "3.00"),
        "R2": ("succeeded", "1.00"),
        None: ("succeeded", "2.00"),
    }
    assert world.read(number)["refunded_amount"] == "6.00"
    assert world.events(number).count("refund.succeeded") == 3
