"""At the till: a buyer's code is scanned, and goods go only for money that stays."""

from __future__ import annotations

from typing import Any

import pytest

from daozhang.emulator.ledger import Declined
from daozhang.service.audit.model import SYSTEM
from daozhang.service.merchants.outgoing import turn_outgoing
from daozhang.service.orders.actions import lock_order
from daozhang.service.till import scanning
from daozhang.service.till.model import Scan
from worlds import World, find_order

CANCEL = "alipay.trade.cancel"
PAY = "alipay.trade.pay"


@pytest.fixture
def world(shared_world: World) -> World:
    """Each test has orders of its own."""
    return shared_world


def order(world: World, **fields: Any) -> str:
    return world.order("8.88", way="barcode", **fields)


def scan(world: World, number: str, code: str, **more: str) -> dict[str, Any]:
    """The cashier scans; what the till shows, with the HTTP status beside it."""
    answer = world.api.post(
        f"/v1/orders/{number}/barcode_payment", json={"auth_code": code, **more}
    )
    assert answer.status_code in (200, 202), answer.text
    shown = answer.json()
    assert (answer.status_code == 200) == (shown["final"] or shown["may_scan_again"])
    return shown


def till(world: World, number: str) -> dict[str, Any]:
    answer = world.api.get(f"/v1/orders/{number}/barcode_payment")
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["hand_over_goods"] == (shown["order"]["status"] in ("paid", "finished"))
    assert shown["message"]
    assert shown["message_zh"]
    return shown


def cancel(world: World, number: str) -> dict[str, Any]:
    answer = world.api.post(f"/v1/orders/{number}/cancel")
    assert answer.status_code in (200, 202), answer.text
    return answer.json()


def _turn_outgoing(world: World, *, allowed: bool) -> None:
    context = world.service.context
    with context.database.begin() as tx:
        turn_outgoing(tx, context, 1, allowed=allowed, reason="night", actor=SYSTEM)


def told(world: World, number: str) -> list[str]:
    """What the story says happened at the till."""
    story = world.api.get(f"/v1/orders/{number}/story").json()["entries"]
    return [entry["word"] for entry in story if entry["kind"] == "till"]


# ---- paid


@pytest.mark.parametrize("face", [False, True])
def test_a_scanned_code_pays_at_once(world: World, face: bool) -> None:
    number = order(world, operator_id="li", terminal_id="till-7", store_id="sh-1")
    code = world.emulator.payment_code(channel="bank_card", face=face)

    shown = scan(world, number, code)

    assert (shown["state"], shown["final"], shown["hand_over_goods"]) == ("paid", True, True)
    assert shown["operator_id"] == "li"
    payment = shown["order"]["payment"]
    assert payment["paid_at"] is not None
    assert [bill["fund_channel"] for bill in payment["fund_bills"]] == ["BANKCARD"]
    world.settle()
    # The notification says it again; the same scan again is the same payment.
    assert scan(world, number, code)["state"] == "paid"
    world.advance(300)
    assert world.events(number) == ["order.paid"]
    assert world.emulator.trade(number).request.store_id == "sh-1"
    another = world.api.post(
        f"/v1/orders/{number}/barcode_payment", json={"auth_code": world.emulator.payment_code()}
    )
    assert (another.status_code, another.json()["reason"]) == (409, "already_paid")
    assert told(world, number) == ["scanned", "confirmed"]


@pytest.mark.parametrize("notified", [True, False])
def test_the_buyer_confirms_on_the_phone(world: World, notified: bool) -> None:
    number = order(world)
    if not notified:
        world.emulator.set_fault("notify_never", out_trade_no=number)
    shown = scan(world, number, world.emulator.payment_code("asks"))
    assert (shown["state"], shown["final"]) == ("buyer_confirms", False)
    assert shown["order"]["status"] == "waiting"
    world.advance(7)
    assert till(world, number)["state"] == "buyer_confirms"
    world.emulator.confirm(number)
    world.advance(0 if notified else 6)
    assert till(world, number)["state"] == "paid"
    world.advance(300)
    assert world.events(number) == ["order.paid"]


@pytest.mark.parametrize("fault", ["gateway_timeout_after_success", "gateway_bad_signature"])
def test_an_answer_that_is_lost_is_asked_for(world: World, fault: str) -> None:
    number = order(world)
    world.emulator.set_fault("notify_never", out_trade_no=number)
    world.emulator.set_fault(fault, out_trade_no=number, method=PAY, times=1, seconds=0)
    shown = scan(world, number, world.emulator.payment_code())
    assert (shown["state"], shown["hand_over_goods"]) == ("unclear", False)
    another = world.api.post(
        f"/v1/orders/{number}/barcode_payment", json={"auth_code": world.emulator.payment_code()}
    )
    assert (another.status_code, another.json()["code"]) == (409, "barcode_payment_under_way")
    world.advance(3)
    assert till(world, number)["state"] == "paid"
    assert told(world, number) == ["scanned", "no_answer", "confirmed"]


# ---- declined


def test_a_declined_payment_is_tried_again_on_the_same_order(world: World) -> None:
    number = order(world)
    poor = world.emulator.payment_code("declines", sub_code="ACQ.BUYER_BALANCE_NOT_ENOUGH")
    shown = scan(world, number, poor)
    assert (shown["state"], shown["final"], shown["may_scan_again"]) == ("declined", False, True)
    assert "余额不足" in shown["message_zh"]
    assert "too little money" in shown["message"]
    world.advance(60)
    stale = scan(world, number, world.emulator.payment_code("dies", sub_code="ACQ.PAYMENT_FAIL"))
    assert (stale["number"], stale["state"]) == (2, "declined")
    shown = scan(world, number, world.emulator.payment_code())
    assert (shown["number"], shown["state"]) == (3, "paid")
    world.advance(600)
    assert world.events(number) == ["order.paid"]
    assert sum(trade.out_trade_no == number for trade in world.emulator.trades) == 1
    assert told(world, number).count("another_code") == 2


def test_a_declined_payment_that_nobody_tries_again_is_cancelled(world: World) -> None:
    number = order(world)
    scan(world, number, world.emulator.payment_code("declines"))
    world.advance(119)
    assert till(world, number)["state"] == "declined"
    world.advance(1)
    assert till(world, number)["state"] == "not_paid"
    assert world.events(number) == ["order.closed"]
    assert world.emulator.trade(number).status == "TRADE_CLOSED"


@pytest.mark.parametrize(
    ("sub_code", "word"),
    [
        ("ACQ.PAYMENT_REQUEST_HAS_RISK", "风险"),
        ("ACQ.BUYER_SELLER_EQUAL", "同一"),
        ("ACQ.MERCHANT_PERM_RECEIPT_DAY_LIMIT", "限额"),
    ],
)
def test_a_no_that_nothing_changes_is_cancelled_and_confirmed(
    world: World, sub_code: str, word: str
) -> None:
    number = order(world)
    shown = scan(world, number, world.emulator.payment_code("declines", sub_code=sub_code))
    assert (shown["state"], shown["hand_over_goods"]) == ("cancelling", False)
    assert word in shown["message_zh"]
    assert "请不要交付商品" in shown["message_zh"]
    world.settle()
    assert till(world, number)["state"] == "not_paid"
    assert world.events(number) == ["order.closed"]
    assert told(world, number) == ["scanned", "refused", "cancelled", "confirmed"]


def test_a_no_that_speaks_of_the_trade_is_asked_about(world: World) -> None:
    number = order(world)
    world.emulator.set_fault("notify_never", out_trade_no=number)
    scan(world, number, world.emulator.payment_code("declines"))
    # It was paid all the same, and the cashier scans another code before anybody knows.
    world.emulator.pay(number)
    shown = scan(world, number, world.emulator.payment_code())
    assert (shown["state"], shown["alipay_code"]) == ("unclear", "ACQ.TRADE_HAS_SUCCESS")
    world.settle()
    assert till(world, number)["state"] == "paid"
    assert world.events(number) == ["order.paid"]


# ---- given up


def test_a_buyer_who_never_confirms_is_given_up(world: World) -> None:
    number = order(world)
    scan(world, number, world.emulator.payment_code("asks"))
    world.advance(59)
    assert till(world, number)["state"] == "buyer_confirms"
    world.advance(1)
    shown = till(world, number)
    assert (shown["state"], shown["final"]) == ("not_paid", True)
    assert world.events(number) == ["order.closed"]
    words = told(world, number)
    assert words[:2] == ["scanned", "buyer_acts"]
    assert words.count("asked") >= 10
    assert words[-3:] == ["time_over", "cancelled", "confirmed"]
    # A new order under a new number is what comes next.
    refused = world.api.post(
        f"/v1/orders/{number}/barcode_payment", json={"auth_code": world.emulator.payment_code()}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "order_not_payable")


def test_the_cashier_gives_up(world: World) -> None:
    number = order(world)
    scan(world, number, world.emulator.payment_code("asks"))
    shown = cancel(world, number)
    assert (shown["state"], shown["final"]) == ("not_paid", True)
    assert cancel(world, number)["state"] == "not_paid"
    world.advance(600)
    assert world.events(number) == ["order.closed"]


@pytest.mark.parametrize("by_cashier", [True, False])
def test_a_cancel_that_takes_its_time_is_sent_once(world: World, by_cashier: bool) -> None:
    """Who has written down that it is given up sends the cancel; the sweep is not to send it too."""
    number = order(world)
    world.emulator.set_fault("slow", out_trade_no=number, method=CANCEL, seconds=0.5)
    scan(world, number, world.emulator.payment_code("asks"))
    if by_cashier:
        cancel(world, number)
    else:
        world.advance(60)
    world.settle()
    last = ["cashier_cancels" if by_cashier else "time_over", "cancelled", "confirmed"]
    assert told(world, number)[-3:] == last


@pytest.mark.parametrize("notified", [True, False])
def test_who_pays_while_it_is_cancelled_has_the_money_back(world: World, notified: bool) -> None:
    number = order(world)
    if not notified:
        world.emulator.set_fault("notify_never", out_trade_no=number)
    world.emulator.set_fault("pay_during_cancel", out_trade_no=number, times=1)
    scan(world, number, world.emulator.payment_code("asks"))
    shown = cancel(world, number)
    assert (shown["state"], shown["hand_over_goods"]) == ("refunded", False)
    world.advance(600)
    assert sorted(world.events(number)) == ["order.refunded", "refund.succeeded"]
    [refund] = world.refunds(number)
    assert (refund["origin"], refund["status"], refund["amount"]) == ("cancel", "succeeded", "8.88")
    assert world.read(number)["refunded_amount"] == "8.88"


def test_a_cancel_whose_answer_is_lost(world: World) -> None:
    number = order(world)
    world.emulator.set_fault("notify_never", out_trade_no=number)
    world.emulator.set_fault("pay_during_cancel", out_trade_no=number, times=1)
    world.emulator.set_fault(
        "gateway_timeout_after_success", out_trade_no=number, method=CANCEL, times=1, seconds=0
    )
    scan(world, number, world.emulator.payment_code("asks"))
    cancel(world, number)
    world.advance(30)
    assert till(world, number)["state"] == "refunded"
    assert sorted(world.events(number)) == ["order.refunded", "refund.succeeded"]
    [refund] = world.refunds(number)
    assert (refund["origin"], refund["status"]) == ("cancel", "succeeded")


def test_money_that_comes_while_it_is_cancelled_is_held(world: World) -> None:
    number = order(world)
    world.emulator.set_fault("gateway_20000", out_trade_no=number, method=CANCEL)
    scan(world, number, world.emulator.payment_code("asks"))
    assert cancel(world, number)["state"] == "cancelling"
    world.emulator.confirm(number)
    world.advance(20)
    # Alipay says, signed, that it is paid. Nobody is told before the cancel's outcome is proven.
    shown = till(world, number)
    assert (shown["state"], shown["hand_over_goods"]) == ("cancelling", False)
    assert world.events(number) == []
    world.emulator.clear_faults()
    world.advance(60)
    assert till(world, number)["state"] == "refunded"
    assert "order.paid" not in world.events(number)


def test_a_cancel_that_is_refused_leaves_a_payment_that_stands(world: World) -> None:
    number = order(world)
    scan(world, number, world.emulator.payment_code("asks"))
    world.emulator.set_fault("cancel_not_allowed", out_trade_no=number)
    world.emulator.set_fault("notify_never", out_trade_no=number)
    assert cancel(world, number)["state"] == "cancelling"
    world.emulator.confirm(number)
    world.advance(10)
    assert till(world, number)["state"] == "paid"
    assert world.events(number) == ["order.paid"]
    assert "cancel_refused" in told(world, number)


def test_a_charge_that_never_arrived_is_given_up(world: World) -> None:
    number = order(world)
    world.emulator.set_fault("gateway_20000", out_trade_no=number, method=PAY)
    scan(world, number, world.emulator.payment_code())
    world.advance(90)
    # The code might still be charged by a call that is on its way: not before it is surely dead.
    assert till(world, number)["state"] == "cancelling"
    world.advance(60)
    assert till(world, number)["state"] == "not_paid"
    assert world.events(number) == ["order.closed"]
    assert world.read(number)["closed_reason"] == "cancel"


def test_a_process_that_dies_while_it_charges(world: World) -> None:
    number = order(world)
    context = world.service.context
    code = world.emulator.payment_code()
    with context.database.begin() as tx:
        locked = lock_order(tx, find_order(tx, number))
        scanning.begin(tx, context, locked, Scan(code, "bar_code"))
    assert till(world, number)["state"] == "paying"
    world.advance(91)
    assert "interrupted" in told(world, number)
    world.advance(300)
    assert till(world, number)["state"] == "not_paid"
    with pytest.raises(Declined, match="NOT_EXIST"):
        world.emulator.trade(number)


def test_where_nothing_can_be_proven_a_person_is_told(world: World) -> None:
    number = order(world)
    scan(world, number, world.emulator.payment_code("asks"))
    world.emulator.set_fault("gateway_20000", out_trade_no=number)
    world.advance(60 + 600)
    assert till(world, number)["state"] == "needs_person"
    assert world.events(number) == ["order.surprise"]
    world.emulator.clear_faults()
    world.advance(600)
    # Nothing is cancelled by itself any more; what Alipay says is still asked for.
    world.emulator.pay(number)
    world.advance(600)
    assert told(world, number).count("person_asked") == 1


def test_a_fact_that_does_not_fit_stops_everything(world: World) -> None:
    number = order(world)
    scan(world, number, world.emulator.payment_code("asks"))
    world.emulator.set_fault("amount_off_by_one", out_trade_no=number)
    world.emulator.set_fault("gateway_20000", out_trade_no=number, method="alipay.trade.query")
    world.emulator.confirm(number)
    world.advance(300)
    assert till(world, number)["state"] == "needs_person"
    assert world.emulator.trade(number).status == "TRADE_SUCCESS"
    assert world.events(number) == ["order.surprise"]


def test_where_outgoing_money_is_stopped_nothing_is_given_back(world: World) -> None:
    unpaid, paid = order(world), order(world)
    for number in (unpaid, paid):
        scan(world, number, world.emulator.payment_code("asks"))
    _turn_outgoing(world, allowed=False)
    # A close moves no money: what nobody has paid is closed all the same.
    assert cancel(world, unpaid)["state"] == "not_paid"
    world.emulator.confirm(paid)
    world.settle()
    assert till(world, paid)["state"] == "paid"
    _turn_outgoing(world, allowed=True)


# ---- refused


@pytest.mark.parametrize("scanned", ["134567890123456789", "6901234567892", "", "https://a.cn/x"])
def test_what_is_no_payment_code_is_refused(world: World, scanned: str) -> None:
    number = order(world)
    refused = world.api.post(f"/v1/orders/{number}/barcode_payment", json={"auth_code": scanned})
    assert (refused.status_code, refused.json()["code"]) == (422, "payment_code_invalid")
    assert refused.json()["detail_zh"]
    nothing = world.api.get(f"/v1/orders/{number}/barcode_payment")
    assert (nothing.status_code, nothing.json()["code"]) == (404, "barcode_payment_not_found")


def test_what_belongs_to_the_till_is_refused_for_a_page(world: World) -> None:
    page, paid = world.order(), order(world)
    code = world.emulator.payment_code()
    for path, body in (("barcode_payment", {"auth_code": code}), ("cancel", None)):
        refused = world.api.post(f"/v1/orders/{page}/{path}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "way_differs")
    scan(world, paid, code)
    refused = world.api.post(f"/v1/orders/{paid}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "order_not_cancellable")
    options = {"pay_options": {"enable_pay_channels": ["balance"]}}
    body = {"out_trade_no": "X", "amount": "1.00", "subject": "Tea", "way": "barcode", **options}
    assert world.api.post("/v1/orders", json=body).status_code == 422


def test_closing_an_order_at_the_till_cancels_it(world: World) -> None:
    number = order(world)
    scan(world, number, world.emulator.payment_code("asks"))
    refused = world.api.post(f"/v1/orders/{number}/close")
    assert (refused.status_code, refused.json()["code"]) == (409, "order_needs_cancel")
    untouched = order(world)
    assert world.api.post(f"/v1/orders/{untouched}/close").status_code == 200
