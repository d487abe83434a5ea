"""The sheet over a merchant's app or mini program, as a person with a browser meets it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest

from daozhang.emulator.ledger import TradeStatus
from emulator.place import Place
from emulator.test_cashier import Page

BACK = "http://shop.test/app?order=7#top"


def order_string(place: Place, number: str, **extra: Any) -> str:
    merchant = place.merchant
    terms = {"out_trade_no": number, "total_amount": "8.88", "subject": "Tea", **extra}
    public = {"notify_url": place.shop.notify_url}
    return urlencode(merchant.signed(merchant.parameters("alipay.trade.app.pay", terms, **public)))


def draw(place: Place, kind: str, **asked: str) -> httpx2.Response:
    return place.http.get(f"/sheet/{kind}", params=asked, follow_redirects=True)


def answer(place: Place, sheet: httpx2.Response, code: str) -> dict[str, str]:
    """What the phone is led back with."""
    form = Page(sheet).one("form", id="answer")
    done = place.http.post(form["action"], data={"code": code}, follow_redirects=True)
    onward = urlsplit(Page(done).one("a", id="return-link")["href"])
    assert (onward.netloc, onward.path, onward.fragment) == ("shop.test", "/app", "top")
    told = dict(parse_qsl(onward.query, keep_blank_values=True, strict_parsing=True))
    assert told.pop("order") == "7"
    return told


def status(place: Place, number: str) -> TradeStatus:
    return place.emulator.trade(number).status


def test_an_app_is_told_a_signed_result(place: Place) -> None:
    sheet = draw(place, "app", order_string=order_string(place, "s-1"), back=BACK)
    assert "8.88" in sheet.text
    assert status(place, "s-1") is TradeStatus.WAIT_BUYER_PAY
    told = answer(place, sheet, "9000")
    assert (told["resultStatus"], told["memo"]) == ("9000", "")
    node, _, _ = told["result"].partition(',"sign":')
    signed = node.removeprefix('{"alipay_trade_app_pay_response":')
    assert json.loads(signed)["out_trade_no"] == "s-1"
    assert place.merchant.alipay_signed(signed.encode(), json.loads(told["result"])["sign"])
    place.emulator.settle()
    assert place.shop.received[-1].text()["trade_status"] == "TRADE_SUCCESS"


@pytest.mark.parametrize(
    ("code", "after"), [("6001", TradeStatus.WAIT_BUYER_PAY), ("6002", TradeStatus.TRADE_SUCCESS)]
)
def test_a_buyer_leaves_or_loses_the_network(place: Place, code: str, after: TradeStatus) -> None:
    sheet = draw(place, "app", order_string=order_string(place, "s-2"), back=BACK)
    assert answer(place, sheet, code) == {"resultStatus": code, "result": "", "memo": ""}
    assert status(place, "s-2") is after


def test_a_mini_program_is_told_a_code(place: Place) -> None:
    terms = {"out_trade_no": "s-3", "total_amount": "8.88", "subject": "Tea"}
    made = place.merchant.call("alipay.trade.create", {**terms, "buyer_id": "2088102168897047"})
    sheet = draw(place, "mini", trade_no=made["trade_no"], back=BACK)
    assert answer(place, sheet, "6001") == {"resultCode": "6001"}
    assert answer(place, sheet, "9000") == {"resultCode": "9000"}
    assert status(place, "s-3") is TradeStatus.TRADE_SUCCESS
    again = place.http.get(sheet.url)
    assert "ACQ.TRADE_HAS_SUCCESS" in again.content.decode("gbk")


def test_what_is_no_order_is_refused_in_words(place: Place) -> None:
    good = order_string(place, "s-4")
    for asked, word in (
        ({"order_string": ""}, "isv.missing-app-id"),
        ({"order_string": good.replace("8.88", "0.01")}, "isv.invalid-signature"),
        ({"order_string": good, "back": "javascript:alert(1)"}, "back必须是"),
    ):
        assert word in draw(place, "app", **asked).content.decode("gbk")
    page = urlsplit(place.merchant.page_address("s-4")).query
    assert "INVALID_ORDER_STRING" in draw(place, "app", order_string=page).content.decode("gbk")
    assert "TRADE_NOT_EXIST" in draw(place, "mini", trade_no="1").content.decode("gbk")
    assert "PAGE_NOT_FOUND" in place.http.get("/sheet/none").content.decode("gbk")
    assert "PAGE_NOT_FOUND" in place.http.get("/sheet/none/done").content.decode("gbk")
    sheet = draw(place, "app", order_string=good)
    action = Page(sheet).one("form", id="answer")["action"]
    wrong = place.http.post(action, data={"code": "1"})
    assert "INVALID_FORM" in wrong.content.decode("gbk")
    assert "PAGE_NOT_FOUND" in place.http.get(f"{sheet.url.path}/done").content.decode("gbk")


def test_the_sheet_is_for_this_machine(place: Place) -> None:
    asked = {"order_string": order_string(place, "s-5"), "back": BACK}
    named = place.http.get("/sheet/app", params=asked, headers={"Host": "evil.example"})
    assert "FORBIDDEN" in named.content.decode("gbk")
