"""The main job, end to end: a web payment arrives, exactly once, whatever happens on the way."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from daozhang.service.merchants.model import LatePolicy
from worlds import World, running


def ledger_says(world: World, number: str) -> tuple[str, str]:
    trade = world.emulator.trade(number)
    return trade.status.value, str(trade.refunded)


def test_a_payment_arrives(world: World) -> None:
    number = world.order("88.88")
    assert world.read(number)["status"] == "created"

    world.pay(number)
    world.settle()

    order = world.read(number)
    assert order["status"] == "paid"
    assert order["payment"]["buyer_pay_amount"] == "88.88"
    assert order["trade_no"] == world.emulator.trade(number).trade_no
    assert world.events(number) == ["order.paid"]
    attempts = world.emulator.notifications[-1].attempts
    assert [attempt.answer for attempt in attempts] == [b"success"]


def test_a_partial_refund_goes_and_its_notice_changes_nothing_more(world: World) -> None:
    number = world.order("88.88")
    world.pay(number)
    world.settle()

    asked = world.refund(number, "8.88", "R1")
    assert asked.status_code == 201, asked.text
    assert asked.json()["status"] == "requested"
    world.settle()

    order = world.read(number)
    assert (order["status"], order["refunded_amount"]) == ("paid", "8.88")
    assert order["reserved_amount"] == "0.00"
    assert order["refundable_amount"] == "80.00"
    assert [r["status"] for r in world.refunds(number)] == ["succeeded"]
    world.advance(3600)
    assert world.events(number) == ["order.paid", "refund.succeeded"]
    assert ledger_says(world, number) == ("TRADE_SUCCESS", "8.88")


def test_a_full_refund_refunds_the_order(world: World) -> None:
    number = world.order("10.00")
    world.pay(number)
    world.settle()
    world.refund(number, "4.00", "R1")
    world.advance(60)
    world.refund(number, "6.00", "R2")
    world.advance(60)

    assert world.read(number)["status"] == "refunded"
    assert world.events(number) == [
        "order.paid",
        "refund.succeeded",
        "refund.succeeded",
        "order.refunded",
    ]


def test_more_than_was_paid_is_never_reserved(world: World) -> None:
    number = world.order("10.00")
    world.pay(number)
    world.settle()

    assert world.refund(number, "6.00", "R1").status_code == 201
    second = world.refund(number, "6.00", "R2")

    assert second.status_code == 409
    assert second.json()["code"] == "amount_exceeds_remainder"
    assert second.json()["remainder"] == "4.00"


def test_an_order_that_nobody_pays_closes_at_alipay_and_here(world: World) -> None:
    number = world.order()
    world.open_page(number)

    world.advance(3600)

    assert world.read(number)["status"] == "closed"
    assert ledger_says(world, number)[0] == "TRADE_CLOSED"
    assert world.events(number) == ["order.closed"]


def test_an_order_that_nobody_opens_closes_after_two_absences(world: World) -> None:
    number = world.order()

    world.advance(3600)

    order = world.read(number)
    assert (order["status"], order["closed_reason"]) == ("closed", "expiry")
    assert world.events(number) == ["order.closed"]


def test_closing_a_waiting_order_closes_it_at_alipay_at_once(world: World) -> None:
    number = world.order()
    world.open_page(number)

    closed = world.api.post(f"/v1/orders/{number}/close")

    assert closed.json()["status"] == "closed"
    assert ledger_says(world, number)[0] == "TRADE_CLOSED"


def test_what_is_closed_can_no_longer_be_clicked(world: World) -> None:
    number = world.order()
    address = world.read(number)["pay_url"]
    world.api.post(f"/v1/orders/{number}/close")

    page = world.browser.get(address)

    assert page.status_code == 410
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "订单已关闭" in page.text


def test_a_payment_after_the_order_was_given_up_is_late(world: World) -> None:
    number = world.order()
    world.open_page(number)
    world.emulator.set_fault("gateway_20000", method="alipay.trade.close")
    closing = world.api.post(f"/v1/orders/{number}/close").json()
    assert closing["status"] == "closing"

    world.emulator.pay(number)
    world.settle()

    order = world.read(number)
    assert (order["status"], order["late"]) == ("paid", True)
    assert "order.paid_late" in world.events(number)
    assert "order.paid" not in world.events(number)


@pytest.mark.parametrize(
    "fault", ["notify_twice", "notify_before_return", "notify_out_of_order", "gateway_gbk_error"]
)
def test_a_payment_arrives_once_in_spite_of(world: World, fault: str) -> None:
    number = world.order()
    world.emulator.set_fault(fault, times=3)
    world.pay(number)
    world.advance(60)
    assert world.refund(number, "1.00", "R1").status_code == 201
    world.advance(2 * 24 * 3600)

    assert world.events(number).count("order.paid") == 1
    assert world.events(number).count("refund.succeeded") == 1
    assert world.read(number)["refunded_amount"] == ledger_says(world, number)[1] == "1.00"


def test_a_wrong_amount_books_nothing_and_asks_a_person(world: World) -> None:
    world.emulator.set_fault("amount_off_by_one", times=1)
    number = world.order()
    world.pay(number)
    world.settle()

    order = world.read(number)
    assert (order["status"], order["attention"]) == ("waiting", True) or order[
        "status"
    ] == "created"
    assert world.events(number) == ["order.surprise"]


def test_a_refund_notice_without_ids_is_confirmed_by_a_query(world: World) -> None:
    world.emulator.set_fault("refund_notice_without_ids")
    number = world.order("10.00")
    world.pay(number)
    world.emulator.refund(number)
    world.advance(600)

    assert world.read(number)["status"] == "refunded"
    assert [r["origin"] for r in world.refunds(number)] == ["external"]
    assert world.events(number).count("refund.succeeded") == 1


def test_a_refund_started_elsewhere_is_external(world: World) -> None:
    number = world.order("10.00")
    world.pay(number)
    world.emulator.refund(number, None, "CENTRE-1")
    world.advance(600)

    (refund,) = world.refunds(number)
    assert (refund["origin"], refund["status"], refund["amount"]) == (
        "external",
        "succeeded",
        "10.00",
    )
    assert world.read(number)["status"] == "refunded"


@pytest.mark.parametrize(
    "fault",
    ["gateway_timeout_after_success", "gateway_20000", "gateway_bad_signature", "gateway_unsigned"],
)
def test_a_refund_with_an_unknown_outcome_is_asked_about_and_never_sent_twice(
    world: World, fault: str
) -> None:
    number = world.order("10.00")
    world.pay(number)
    world.settle()
    world.emulator.set_fault("notify_never")  # else the notice proves it at once
    world.emulator.set_fault(fault, method="alipay.trade.refund", times=1, seconds=3)

    world.refund(number, "4.00", "R1")
    world.settle()
    assert world.refunds(number)[0]["status"] == "unknown"
    world.advance(3600)

    assert world.refunds(number)[0]["status"] == "succeeded"
    assert world.read(number)["refunded_amount"] == ledger_says(world, number)[1] == "4.00"
    assert world.events(number).count("refund.succeeded") == 1


@pytest.mark.parametrize(
    ("policy", "ends"), [("refund", "refunded"), ("fulfil", "paid"), ("person", "paid")]
)
def test_a_late_payment_goes_by_the_merchants_policy(
    tmp_path: Path, policy: str, ends: str
) -> None:
    with running(tmp_path, late_policy=LatePolicy(policy)) as world:
        number = world.order()
        world.open_page(number)
        world.emulator.set_fault("gateway_20000", method="alipay.trade.close")
        world.api.post(f"/v1/orders/{number}/close")
        world.emulator.pay(number)
        world.advance(600)

        assert world.read(number)["status"] == ends
        assert world.events(number)[0] == "order.paid_late"
        assert ("order.surprise" in world.events(number)) is (policy == "person")
        assert ledger_says(world, number)[1] == ("88.88" if policy == "refund" else "0.00")


def test_a_cart_that_is_paid_twice_is_announced_and_asks_a_person(world: World) -> None:
    first, second = world.order(cart_ref="cart-1"), world.order(cart_ref="cart-1")
    world.pay(first)
    world.settle()
    world.pay(second)
    world.settle()

    assert world.events(first) == ["order.paid"]
    assert world.events(second) == ["order.paid", "order.duplicate_payment", "order.surprise"]


def test_a_frame_in_the_shops_page_is_led_back_and_no_stranger_may_hold_it(tmp_path: Path) -> None:
    shop = "https://shop.example"
    with running(tmp_path, chosen={"cors_origins": (shop,)}) as world:
        number = world.order(pay_options={"qr_pay_mode": "1"})
        opened = world.browser.get(world.read(number)["pay_url"])
        world.emulator.pay(number)
        turned = world.browser.get(opened.url).text
        back = html.unescape(turned.partition('content="3;url=')[2].partition('"')[0])
        returned = world.browser.get(back)
        assert returned.status_code == 200
        assert f"frame-ancestors {shop}" in returned.headers["content-security-policy"]
        world.settle()
        assert world.read(number)["status"] == "paid"
