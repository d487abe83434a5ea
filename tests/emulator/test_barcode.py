"""A code that a buyer shows, charged through the API: what it answers by what the phone does."""

from __future__ import annotations

from typing import Any

import pytest

from daozhang.emulator.ledger import Declined
from emulator.place import Place
from emulator.test_trades import CANCEL, CLOSE, QUERY, sub_code

PAY = "alipay.trade.pay"


def charge(place: Place, number: str, code: str, **more: Any) -> dict[str, Any]:
    terms = {"out_trade_no": number, "total_amount": "8.88", "subject": "茶", "auth_code": code}
    return place.merchant.call(PAY, {**terms, "scene": "bar_code", **more})


def status(place: Place, number: str) -> str:
    return str(place.merchant.call(QUERY, {"out_trade_no": number}).get("trade_status"))


def test_a_code_pays_at_once_and_only_once(place: Place) -> None:
    code = place.emulator.payment_code(channel="huabei")
    node = charge(place, "b-1", code, operator_id="li", store_id="s1")
    assert (node["code"], node["total_amount"], node["receipt_amount"]) == ("10000", "8.88", "8.88")
    assert node["gmt_payment"]
    assert node["fund_bill_list"] == [{"fund_channel": "PCREDIT", "amount": "8.88"}]
    assert status(place, "b-1") == "TRADE_SUCCESS"
    assert sub_code(charge(place, "b-1", place.emulator.payment_code())) == "ACQ.TRADE_HAS_SUCCESS"
    assert sub_code(charge(place, "b-2", code)) == "ACQ.PAYMENT_AUTH_CODE_INVALID"
    assert sub_code(place.merchant.call(QUERY, {"out_trade_no": "b-2"})) == "ACQ.TRADE_NOT_EXIST"


def test_a_phone_that_asks_its_owner(place: Place) -> None:
    node = charge(place, "b-3", place.emulator.payment_code("asks"))
    assert node["code"] == "10003"
    assert "gmt_payment" not in node
    assert status(place, "b-3") == "WAIT_BUYER_PAY"
    refused = place.merchant.control("POST", "confirm", out_trade_no="b-3", agree=False)
    assert refused["trade_status"] == "WAIT_BUYER_PAY"
    with pytest.raises(Declined, match="no phone was asked"):
        place.emulator.confirm("b-3")
    # Another code goes on with the same trade.
    assert charge(place, "b-3", place.emulator.payment_code("asks"))["trade_no"] == node["trade_no"]
    assert place.emulator.confirm("b-3").status == "TRADE_SUCCESS"


def test_a_no_leaves_a_trade_open_or_none(place: Place) -> None:
    poor = place.emulator.payment_code("declines", sub_code="ACQ.BUYER_BALANCE_NOT_ENOUGH")
    assert sub_code(charge(place, "b-4", poor)) == "ACQ.BUYER_BALANCE_NOT_ENOUGH"
    assert status(place, "b-4") == "WAIT_BUYER_PAY"
    dead = place.emulator.payment_code("dies", sub_code="ACQ.PAYMENT_FAIL")
    assert sub_code(charge(place, "b-5", dead)) == "ACQ.PAYMENT_FAIL"
    assert sub_code(place.merchant.call(QUERY, {"out_trade_no": "b-5"})) == "ACQ.TRADE_NOT_EXIST"
    other = charge(place, "b-4", place.emulator.payment_code(), total_amount="9.99")
    assert sub_code(other) == "ACQ.CONTEXT_INCONSISTENT"
    none_left = charge(place, "b-6", place.emulator.payment_code(), disable_pay_channels="balance")
    assert sub_code(none_left) == "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE"


def test_a_code_lives_a_minute_and_fits_its_scene(place: Place) -> None:
    late = place.emulator.payment_code()
    place.emulator.advance(61)
    assert sub_code(charge(place, "b-7", late)) == "ACQ.PAYMENT_AUTH_CODE_INVALID"
    face = place.emulator.payment_code(face=True)
    assert sub_code(charge(place, "b-7", face)) == "ACQ.PAYMENT_AUTH_CODE_INVALID"
    assert charge(place, "b-7", face, scene="security_code")["code"] == "10000"
    assert sub_code(charge(place, "b-8", face, scene="voice")) == "ACQ.INVALID_PARAMETER"


def test_what_was_cancelled_or_closed_is_not_charged(place: Place) -> None:
    charge(place, "b-9", place.emulator.payment_code("asks"))
    assert place.merchant.call(CANCEL, {"out_trade_no": "b-9"})["action"] == "close"
    assert sub_code(charge(place, "b-9", place.emulator.payment_code())) == "ACQ.TRADE_HAS_CLOSE"
    assert "action" not in place.merchant.call(CANCEL, {"out_trade_no": "b-10"})
    assert sub_code(charge(place, "b-10", place.emulator.payment_code())) == "ACQ.TRADE_HAS_CLOSE"
    charge(place, "b-11", place.emulator.payment_code("declines"))
    assert place.merchant.call(CLOSE, {"out_trade_no": "b-11"})["code"] == "10000"
    charge(place, "b-12", place.emulator.payment_code())
    assert place.merchant.call(CANCEL, {"out_trade_no": "b-12"})["action"] == "refund"


def test_the_control_plane_makes_codes(place: Place) -> None:
    made = place.merchant.control(
        "POST", "payment_codes", behaviour="declines", sub_code="ACQ.PAYMENT_REQUEST_HAS_RISK"
    )
    assert made["expires_at"]
    refused = charge(place, "b-14", made["payment_code"])
    assert sub_code(refused) == "ACQ.PAYMENT_REQUEST_HAS_RISK"
    with pytest.raises(ValueError, match=r"ACQ\.BUYER_BALANCE_NOT_ENOUGH"):
        place.emulator.payment_code("declines", sub_code="ACQ.MADE_UP")


def test_a_payment_at_the_till_is_notified(place: Place) -> None:
    address = f"{place.shop.base_url}/notify"
    charge(place, "b-15", place.emulator.payment_code(), notify_url=address)
    place.emulator.settle()
    [notification] = place.emulator.notifications
    assert notification.fields["trade_status"] == "TRADE_SUCCESS"
    assert notification.url == address
