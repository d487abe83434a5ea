"""Transfers: sent once however often, refused in Alipay's words, and what banks do with those to cards."""

from __future__ import annotations

from typing import Any

import pytest

from daozhang.emulator.accounts import Business
from daozhang.emulator.ledger import Declined
from daozhang.emulator.switches import changed
from daozhang.money import Money
from emulator.place import Place
from emulator.test_rest import call

SEND = "alipay.fund.trans.uni.transfer"
QUERY = "alipay.fund.trans.common.query"
OPENING = Money.parse("1000000.00")
ACCOUNT = {"identity": "2088000000000001", "identity_type": "ALIPAY_USER_ID"}
CARD = {
    "identity": "6222020000000000001",
    "identity_type": "BANKCARD_ACCOUNT",
    "name": "张三",
    "bankcard_ext_info": {"account_type": "2"},
}


def terms(number: str, **changes: Any) -> dict[str, Any]:
    return {
        "out_biz_no": number,
        "trans_amount": "50.00",
        "product_code": "TRANS_ACCOUNT_NO_PWD",
        "biz_scene": "DIRECT_TRANSFER",
        "order_title": "佣金",
        "payee_info": ACCOUNT,
        **changes,
    }


def to_card(number: str, **changes: Any) -> dict[str, Any]:
    return terms(number, product_code="TRANS_BANKCARD_NO_PWD", payee_info=CARD, **changes)


def send(place: Place, content: dict[str, Any]) -> dict[str, Any]:
    return place.merchant.call(SEND, content)


def ask(place: Place, number: str, product: str = "TRANS_ACCOUNT_NO_PWD") -> dict[str, Any]:
    content = {"out_biz_no": number, "product_code": product, "biz_scene": "DIRECT_TRANSFER"}
    return place.merchant.call(QUERY, content)


def switch(place: Place, **changes: Any) -> None:
    desk, app_id = place.emulator.desk, place.merchant.app_id
    desk.set_switches(app_id, changed(desk.switches(app_id), changes))


def balance(place: Place) -> Money:
    seller_id = place.merchant.credentials["seller_id"]
    return place.emulator.desk.accounts.balance(seller_id)


def test_the_same_number_is_one_transfer_and_other_content_is_refused(place: Place) -> None:
    first = send(place, terms("W1"))
    assert (first["code"], first["status"], first["amount"]) == ("10000", "SUCCESS", "50.00")
    assert send(place, terms("W1")) == first
    assert send(place, terms("W1", trans_amount="50.01"))["sub_code"] == (
        "PAYMENT_INFO_INCONSISTENCY"
    )
    assert balance(place) == OPENING - Money(5000)
    told = ask(place, "W1")
    assert (told["status"], told["trans_amount"]) == ("SUCCESS", "50.00")
    assert told["order_id"] == first["order_id"]
    assert ask(place, "W2")["sub_code"] == "ORDER_NOT_EXIST"
    assert ask(place, "W1", "TRANS_BANKCARD_NO_PWD")["sub_code"] == "ORDER_NOT_EXIST"
    got = place.emulator.desk.accounts.balance(ACCOUNT["identity"])
    assert got == Money(5000)


@pytest.mark.parametrize(
    ("changes", "sub_code"),
    [
        ({"payee_info": ACCOUNT | {"identity": "2088000000000404"}}, "PAYEE_NOT_EXIST"),
        ({"payee_info": ACCOUNT | {"identity": "20880"}}, "PAYEE_NOT_EXIST"),
        ({"payee_info": ACCOUNT | {"name": "错名"}}, "PAYEE_USER_INFO_ERROR"),
        ({"trans_amount": "0.09"}, "EXCEED_LIMIT_SM_MIN_AMOUNT"),
        ({"trans_amount": "50000.01"}, "EXCEED_LIMIT_SM_AMOUNT"),
        ({"payee_info": CARD}, "INVALID_PARAMETER"),
        ({"payee_info": "no"}, "INVALID_PARAMETER"),
        ({"payee_info": ACCOUNT | {"identity_type": "ALIPAY_LOGON_ID"}}, "INVALID_PARAMETER"),
        ({"biz_scene": "OTHER"}, "INVALID_PARAMETER"),
        ({"product_code": "STD_RED_PACKET"}, "PRODUCT_NOT_SIGN"),
    ],
)
def test_what_is_refused_leaves_nothing(
    place: Place, changes: dict[str, Any], sub_code: str
) -> None:
    assert send(place, terms("W1", **changes))["sub_code"] == sub_code
    assert ask(place, "W1")["sub_code"] == "ORDER_NOT_EXIST"
    assert balance(place) == OPENING


def test_nobody_pays_themselves_and_a_card_has_a_number(place: Place) -> None:
    own = ACCOUNT | {"identity": place.merchant.credentials["seller_id"]}
    assert send(place, terms("W1", payee_info=own))["sub_code"] == "PAYER_PAYEE_CANNOT_SAME"
    card = to_card("W2") | {"payee_info": CARD | {"identity": "62-22"}}
    assert send(place, card)["sub_code"] == "CARD_BIN_ERROR"


def test_an_empty_account_and_a_day_that_is_full(place: Place) -> None:
    switch(place, opening_balance="60.00", transfer_daily_max="55.00")
    assert send(place, terms("W1"))["status"] == "SUCCESS"
    assert send(place, terms("W2", trans_amount="6.00"))["sub_code"] == "EXCEED_LIMIT_DM_AMOUNT"
    place.emulator.advance(86400)
    assert send(place, terms("W2", trans_amount="11.00"))["sub_code"] == "PAYER_BALANCE_NOT_ENOUGH"
    assert send(place, terms("W2", trans_amount="10.00"))["status"] == "SUCCESS"
    assert balance(place) == Money(0)


def test_a_bank_takes_its_time_and_may_send_it_back(place: Place) -> None:
    switch(place, gateway_url=place.shop.notify_url)
    first = send(place, to_card("W1"))
    assert first["status"] == "DEALING"
    assert "trans_amount" not in ask(place, "W1", "TRANS_BANKCARD_NO_PWD")
    assert balance(place) == OPENING - Money(5000)
    place.emulator.advance(7200)
    assert ask(place, "W1", "TRANS_BANKCARD_NO_PWD")["status"] == "SUCCESS"
    assert send(place, to_card("W1"))["status"] == "SUCCESS"
    place.emulator.play_transfer("W1", "send_back")
    told = ask(place, "W1", "TRANS_BANKCARD_NO_PWD")
    assert (told["status"], told["error_code"]) == ("REFUND", "PAYEE_CARD_INFO_ERROR")
    assert balance(place) == OPENING
    listed = place.emulator.desk.accounts.of_number(place.merchant.credentials["seller_id"], "W1")
    assert [one.business for one in listed] == [Business.TRANSFER, Business.TRANSFER_RETURN]
    statuses = [
        one.fields["biz_content"].partition('"status":"')[2].partition('"')[0]
        for one in place.emulator.notifications
    ]
    assert statuses == ["SUCCESS", "REFUND"]
    with pytest.raises(Declined, match="ORDER_STATUS_INVALID"):
        place.emulator.play_transfer("W1", "fail")


def test_a_bank_that_does_not_take_it_and_one_that_does_at_once(place: Place) -> None:
    send(place, to_card("W1"))
    place.emulator.play_transfer("W1", "fail")
    assert ask(place, "W1", "TRANS_BANKCARD_NO_PWD")["status"] == "FAIL"
    assert balance(place) == OPENING
    send(place, to_card("W2"))
    shown = place.http.post("/_control/transfers/W2", json={"action": "arrive"}).json()
    assert (shown["status"], shown["amount"]) == ("SUCCESS", "50.00")
    listed = place.http.get("/_control/transfers").json()["transfers"]
    assert [one["status"] for one in listed] == ["FAIL", "SUCCESS"]
    send(place, terms("W3"))
    with pytest.raises(Declined, match="ORDER_STATUS_INVALID"):
        place.emulator.play_transfer("W3", "send_back")


def test_messages_are_lost_late_or_twice(place: Place) -> None:
    switch(place, gateway_url=place.shop.notify_url)
    place.emulator.set_fault("notify_never", out_trade_no="W1")
    place.emulator.set_fault("notify_twice", out_trade_no="W2")
    place.emulator.set_fault("notify_out_of_order", out_trade_no="W3", seconds=60)
    for number in ("W1", "W2", "W3"):
        send(place, terms(number))
    place.emulator.settle()
    assert len(place.shop.received) == 2
    place.emulator.advance(60)
    assert len(place.shop.received) == 3


def test_version_3_sends_and_asks_too(place: Place) -> None:
    sent = call(place, terms("W1"), "/v3/alipay/fund/trans/uni/transfer")
    assert sent.json()["status"] == "SUCCESS"
    query = "out_biz_no=W1&product_code=TRANS_ACCOUNT_NO_PWD&biz_scene=DIRECT_TRANSFER"
    asked = call(place, b"", f"/v3/alipay/fund/trans/common/query?{query}", verb="GET")
    assert asked.json()["trans_amount"] == "50.00"
