"""On a phone: in its browser (wap) and in the merchant's own app; and what may pay at all."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from daozhang.emulator.ledger import Declined, Product
from worlds import World


def in_app(world: World, number: str, **more: Any) -> dict[str, str]:
    """The buyer's phone: Alipay's app opens the order string, and hands back what it got."""
    signed = world.api.post(f"/v1/orders/{number}/app_payment")
    assert signed.status_code == 200, signed.text
    assert signed.json()["expires_at"] == world.read(number)["expires_at"]
    paid = httpx2.post(
        f"{world.emulator.base_url}/_control/pay",
        json={"order_string": signed.json()["order_string"], **more},
        trust_env=False,
        verify=False,
    )
    assert paid.status_code == 200, paid.text
    return paid.json()


def app_result(world: World, number: str, **got: str) -> dict[str, Any]:
    answer = world.api.post(f"/v1/orders/{number}/app_result", json=got)
    assert answer.status_code == 200, answer.text
    return answer.json()


def cashier_of(world: World, number: str) -> dict[str, Any]:
    """What our address signs: the parameters for Alipay, its terms among them."""
    found = httpx2.get(world.read(number)["pay_url"], trust_env=False, verify=False)
    assert found.status_code == 303
    signed = {
        name: text[0] for name, text in parse_qs(urlsplit(found.headers["location"]).query).items()
    }
    return signed | {"terms": json.loads(signed["biz_content"])}


# ---- the phone's browser


def test_a_phones_browser_pays(world: World) -> None:
    number = world.order(way="wap", pay_options={"quit_url": "https://shop.example/cart"})
    signed = cashier_of(world, number)
    assert signed["method"] == "alipay.trade.wap.pay"
    assert signed["terms"]["product_code"] == "QUICK_WAP_WAY"
    assert signed["terms"]["quit_url"] == "https://shop.example/cart"

    world.pay(number)
    world.settle()

    assert world.emulator.trade(number).request.product is Product.WAP
    assert world.read(number)["status"] == "paid"
    assert world.events(number) == ["order.paid"]


def test_a_buyer_who_gives_up_on_the_phone_is_led_to_quit_url(world: World) -> None:
    number = world.order(way="wap", pay_options={"quit_url": "https://shop.example/cart"})
    page = world.browser.get(world.read(number)["pay_url"])
    left = world.browser.get(f"{str(page.url).partition('?')[0]}/left")
    assert 'href="https://shop.example/cart"' in left.text
    assert world.read(number)["status"] in ("created", "waiting")


# ---- the merchant's app


def test_an_app_pays_and_what_it_got_back_is_checked(world: World) -> None:
    number = world.order(way="app")
    assert world.read(number)["pay_url"] is None
    got = in_app(world, number)

    checked = app_result(world, number, **got)

    assert (checked["signed_by_alipay"], checked["show"]) == (True, "paid")
    assert checked["order"]["status"] == "paid"
    assert world.emulator.trade(number).request.product is Product.APP
    world.settle()
    assert world.events(number) == ["order.paid"]


def test_the_phone_is_ahead_of_the_notification_and_nothing_is_booked_twice(world: World) -> None:
    number = world.order(way="app")
    world.emulator.set_fault("notify_never", out_trade_no=number)
    got = in_app(world, number)
    assert world.read(number)["status"] == "created"
    for _ in range(2):
        assert app_result(world, number, **got)["show"] == "paid"
    world.settle()
    assert world.events(number) == ["order.paid"]


@pytest.mark.parametrize(
    ("said", "show"),
    [
        ("9000", "confirming"),
        ("8000", "confirming"),
        ("6004", "confirming"),
        ("6002", "confirming"),
        ("5000", "confirming"),
        ("4000", "not_paid"),
        ("6001", "cancelled"),
    ],
)
def test_the_phone_alone_never_makes_an_order_paid(world: World, said: str, show: str) -> None:
    number = world.order(way="app")
    checked = app_result(world, number, resultStatus=said, result="", memo="")
    assert (checked["signed_by_alipay"], checked["show"]) == (False, show)
    assert checked["order"]["status"] == "created"
    assert checked["message"]
    assert checked["message_zh"]


def test_the_result_of_another_order_is_known_for_what_it_is(world: World) -> None:
    cheap, dear = world.order("0.01", way="app"), world.order("8888.00", way="app")
    got = in_app(world, cheap)
    checked = app_result(world, dear, **got)
    assert (checked["signed_by_alipay"], checked["show"]) == (False, "confirming")
    assert checked["order"]["status"] == "created"
    spoiled = {**got, "result": got["result"].replace('"0.01"', '"8888.00"')}
    assert app_result(world, cheap, **spoiled)["signed_by_alipay"] is False


def test_an_order_that_is_over_is_not_signed_for_an_app(world: World) -> None:
    paid, closed = world.order(way="app"), world.order(way="app")
    in_app(world, paid)
    world.settle()
    world.api.post(f"/v1/orders/{closed}/close")
    expired = world.order(way="app")
    until = datetime.fromisoformat(world.read(expired)["expires_at"])
    world.clock.advance((until - world.clock.now()).total_seconds() + 1)  # its grace is not over

    def reason_of(number: str) -> str:
        refused = world.api.post(f"/v1/orders/{number}/app_payment")
        assert (refused.status_code, refused.json()["code"]) == (409, "order_not_payable")
        assert refused.json()["detail_zh"]
        return refused.json()["reason"]

    over = {paid: "already_paid", closed: "closed", expired: "expired"}
    assert {number: reason_of(number) for number in over} == over
    world.advance(3600)
    assert reason_of(expired) == "closed"  # given up, or proven closed already


def test_what_belongs_to_an_app_is_refused_for_a_page(world: World) -> None:
    number = world.order()
    for path, body in (("app_payment", None), ("app_result", {"resultStatus": "9000"})):
        refused = world.api.post(f"/v1/orders/{number}/{path}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "way_differs")


# ---- what may pay


def test_only_what_the_shop_allows_may_pay(world: World) -> None:
    number = world.order(pay_options={"disable_pay_channels": ["credit_group"]})
    assert cashier_of(world, number)["terms"]["disable_pay_channels"] == "credit_group"
    page = world.browser.get(world.read(number)["pay_url"]).text
    assert 'value="balance"' in page
    assert 'value="credit_card"' not in page
    assert 'value="huabei"' not in page
    with pytest.raises(Declined, match="credit_card may not pay"):
        world.emulator.pay(number, channel="credit_card")
    world.emulator.pay(number, channel="bank_card")
    world.settle()
    order = world.read(number)
    assert order["pay_options"]["disable_pay_channels"] == ["credit_group"]
    assert [bill["fund_channel"] for bill in order["payment"]["fund_bills"]] == ["BANKCARD"]


def test_huabei_instalments(world: World) -> None:
    number = world.order(
        "300.00",
        pay_options={
            "enable_pay_channels": ["pcreditpayInstallment"],
            "hb_fq_num": 3,
            "hb_fq_seller_percent": 100,
        },
    )
    terms = cashier_of(world, number)["terms"]
    assert terms["extend_params"] == {"hb_fq_num": "3", "hb_fq_seller_percent": "100"}
    page = world.browser.get(world.read(number)["pay_url"], headers={"Accept-Language": "zh"}).text
    assert "分 3 期, 每期约 ¥100.00" in page
    world.emulator.pay(number, channel="huabei")
    world.settle()
    [bill] = world.read(number)["payment"]["fund_bills"]
    assert (bill["fund_channel"], bill["amount"]) == ("PCREDIT", "300.00")


@pytest.mark.parametrize(
    ("mode", "frame"),
    [("0", (600, 300)), ("1", (300, 600)), ("2", None), ("3", (75, 75)), ("4", (180, 180))],
)
def test_a_code_in_the_shops_own_page(
    world: World, mode: str, frame: tuple[int, int] | None
) -> None:
    width = {"qrcode_width": 180} if mode == "4" else {}
    number = world.order(pay_options={"qr_pay_mode": mode, **width})
    asked = frame and {"width": frame[0], "height": frame[1]}
    assert world.read(number)["frame"] == asked
    terms = cashier_of(world, number)["terms"]
    assert terms["qr_pay_mode"] == mode
    assert terms.get("qrcode_width") == ("180" if mode == "4" else None)
    world.pay(number)
    world.settle()
    assert world.read(number)["status"] == "paid"


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (
            {
                "pay_options": {
                    "enable_pay_channels": ["balance"],
                    "disable_pay_channels": ["pcredit"],
                }
            },
            "只能选其一",
        ),
        ({"pay_options": {"qr_pay_mode": "4"}}, "qrcode_width"),
        ({"pay_options": {"qr_pay_mode": "5"}}, "qr_pay_mode"),
        ({"pay_options": {"hb_fq_num": 5}}, "hb_fq_num"),
        ({"pay_options": {"hb_fq_seller_percent": 0}}, "hb_fq_num"),
        ({"pay_options": {"quit_url": "https://shop.example"}}, "way=wap"),
        ({"way": "wap", "pay_options": {"qr_pay_mode": "1"}}, "way=page"),
        ({"pay_options": {"enable_pay_channels": ["a" * 32] * 5}}, "128"),
        ({"pay_options": {"enable_pay_channels": ["a,b"]}}, "enable_pay_channels"),
        ({"way": "fax"}, "way"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    world: World, body: dict[str, Any], word: str
) -> None:
    refused = world.api.post(
        "/v1/orders", json={"out_trade_no": "X", "amount": "1.00", "subject": "Tea", **body}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid")
    assert word in refused.text


def test_the_same_order_with_other_options_is_another(world: World) -> None:
    chosen = {"enable_pay_channels": ["balance", "moneyFund"]}
    number = world.order(way="wap", pay_options=chosen)
    body = {"out_trade_no": number, "amount": "88.88", "subject": "明前龙井 250g", "way": "wap"}
    again = world.api.post("/v1/orders", json={**body, "pay_options": chosen})
    assert again.status_code == 200
    for other in ({}, {"pay_options": {"enable_pay_channels": ["balance"]}}):
        refused = world.api.post("/v1/orders", json={**body, **other})
        assert (refused.status_code, refused.json()["code"]) == (409, "order_conflict")
        assert refused.json()["differs"] == ["pay_options"]
    nothing = world.order()
    body = {"out_trade_no": nothing, "amount": "88.88", "subject": "明前龙井 250g"}
    assert world.api.post("/v1/orders", json={**body, "pay_options": {}}).status_code == 200
