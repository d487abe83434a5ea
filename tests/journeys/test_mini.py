"""Inside Alipay: a trade for one named buyer, what the phone says of it, and the buyer's number."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from daozhang.emulator.ledger import Product
from worlds import World

BUYER = "2088102168897047"
OPEN_ID = "074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5"
CREATE = "alipay.trade.create"


@pytest.fixture
def world(shared_world: World) -> World:
    """Each test has orders of its own."""
    return shared_world


def make(world: World, number: str, **buyer: str) -> httpx2.Response:
    return world.api.post(f"/v1/orders/{number}/mini_payment", json=buyer or {"buyer_id": BUYER})


def made(world: World, number: str, **buyer: str) -> str:
    answer = make(world, number, **buyer)
    assert answer.status_code == 200, answer.text
    return answer.json()["trade_no"]


def in_mini_program(world: World, trade_no: str, **how: str) -> str:
    """The buyer's phone: what ``my.tradePay`` gives back."""
    answer = httpx2.post(
        f"{world.emulator.base_url}/_control/trade_pay",
        json={"trade_no": trade_no, **how},
        trust_env=False,
        verify=False,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["resultCode"]


def result(world: World, number: str, code: str) -> dict[str, Any]:
    answer = world.api.post(f"/v1/orders/{number}/mini_result", json={"resultCode": code})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("buyer", [{"buyer_id": BUYER}, {"buyer_open_id": OPEN_ID}])
def test_a_named_buyer_pays(world: World, buyer: dict[str, str]) -> None:
    number = world.order(way="mini")
    trade_no = made(world, number, **buyer, op_app_id="2021004133624086")
    # The trade waits from the first moment, and making it again makes no other.
    assert world.read(number)["status"] == "waiting"
    assert made(world, number, **buyer, op_app_id="2021004133624086") == trade_no
    assert world.read(number)["pay_url"] is None

    checked = result(world, number, in_mini_program(world, trade_no))

    assert (checked["show"], checked["order"]["status"]) == ("paid", "paid")
    world.settle()
    assert world.events(number) == ["order.paid"]
    trade = world.emulator.trade(number)
    assert trade.request.product is Product.MINI
    payment = world.read(number)["payment"]
    assert buyer.get("buyer_id") in (None, payment["buyer_id"])
    assert buyer.get("buyer_open_id") in (None, payment["buyer_open_id"])


@pytest.mark.parametrize(
    ("code", "show"),
    [
        ("9000", "confirming"),
        ("8000", "confirming"),
        ("6004", "confirming"),
        ("6002", "confirming"),
        ("6001", "cancelled"),
        ("99", "cancelled"),
        ("4000", "not_paid"),
        ("4", "not_paid"),
    ],
)
def test_the_phone_alone_never_makes_an_order_paid(world: World, code: str, show: str) -> None:
    number = world.order(way="mini")
    trade_no = made(world, number)
    if code != "9000":
        assert in_mini_program(world, trade_no, result_code=code) == code
    checked = result(world, number, code)
    assert (checked["show"], checked["order"]["status"]) == (show, "waiting")
    assert checked["message_zh"]


def test_a_payment_whose_notification_is_lost_is_asked_for(world: World) -> None:
    number = world.order(way="mini")
    world.emulator.set_fault("notify_never", out_trade_no=number)
    in_mini_program(world, made(world, number))
    world.advance(20)
    assert world.events(number) == ["order.paid"]


@pytest.mark.parametrize("fault", ["gateway_20000", "gateway_timeout_after_success"])
def test_an_answer_that_is_lost_is_asked_for_again(world: World, fault: str) -> None:
    number = world.order(way="mini")
    world.emulator.set_fault(fault, out_trade_no=number, method=CREATE, times=1, seconds=0)
    unknown = make(world, number)
    assert (unknown.status_code, unknown.json()["code"]) == (503, "mini_payment_not_made")
    assert "不会扣款" in unknown.json()["detail_zh"]
    in_mini_program(world, made(world, number))
    world.settle()
    assert world.events(number) == ["order.paid"]


def test_another_buyer_is_refused(world: World) -> None:
    number = world.order(way="mini")
    made(world, number)
    refused = make(world, number, buyer_id="2088102168897048")
    assert (refused.status_code, refused.json()["code"]) == (409, "mini_payment_refused")
    assert refused.json()["alipay_code"] == "ACQ.PAYER_UNMATCHED"
    assert "付款人" in refused.json()["detail_zh"]


@pytest.mark.parametrize(
    "buyer",
    [
        {"buyer_id": "None"},
        {"buyer_id": "null"},
        {"buyer_id": ""},
        {"buyer_id": OPEN_ID},
        {"buyer_open_id": BUYER},
        {"buyer_open_id": "undefined"},
        {"buyer_id": BUYER, "buyer_open_id": OPEN_ID},
        {"op_app_id": "2021004133624086"},
    ],
)
def test_what_names_no_buyer_is_refused_before_alipay_is_asked(
    world: World, buyer: dict[str, str]
) -> None:
    refused = make(world, world.order(way="mini"), **buyer)
    assert (refused.status_code, refused.json()["code"]) == (422, "buyer_invalid")


def test_an_order_that_is_over_is_not_handed_out(world: World) -> None:
    closed = world.order(way="mini")
    made(world, closed)
    assert world.api.post(f"/v1/orders/{closed}/close").json()["status"] == "closed"
    refused = make(world, closed)
    assert (refused.status_code, refused.json()["reason"]) == (409, "closed")
    for path, body in (
        ("mini_payment", {"buyer_id": BUYER}),
        ("mini_result", {"resultCode": "9000"}),
    ):
        other = world.api.post(f"/v1/orders/{world.order()}/{path}", json=body)
        assert (other.status_code, other.json()["code"]) == (409, "way_differs")


def test_without_a_key_no_phone_number_is_read(world: World) -> None:
    refused = world.api.post("/v1/phone_numbers", json={"response": "x", "sign": "y"})
    assert (refused.status_code, refused.json()["code"]) == (422, "phone_number_not_read")
    assert "encrypt_key" in refused.json()["detail"]
