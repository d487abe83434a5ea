"""Profit sharing: who may receive, passing on at once and later, the limits, and giving back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daozhang.emulator.accounts import Business
from emulator.place import Place, opened
from emulator.test_rest import call

BIND = "alipay.trade.royalty.relation.bind"
UNBIND = "alipay.trade.royalty.relation.unbind"
LIST = "alipay.trade.royalty.relation.batchquery"
RATE = "alipay.trade.royalty.rate.query"
SETTLE = "alipay.trade.order.settle"
QUERY = "alipay.trade.order.settle.query"
LEFT = "alipay.trade.order.onsettle.query"
CONFIRM = "alipay.trade.settle.confirm"
REFUND = "alipay.trade.refund"
SETTLED = "alipay.trade.order.settle.notify"
REFUND_QUERY = "alipay.trade.fastpay.refund.query"

AGENCY, COURIER = "2088100000000001", "2088100000000002"


def switch(place: Place, **switches: Any) -> None:
    place.merchant.control("POST", f"switches/{place.merchant.app_id}", **switches)


def bind(place: Place, *accounts: str, **more: Any) -> dict[str, Any]:
    listed = [{"type": "userId", "account": account, **more} for account in accounts]
    return place.merchant.call(BIND, {"out_request_no": "B1", "receiver_list": listed})


def paid(place: Place, number: str, amount: str = "100.00", **extra: Any) -> str:
    """A trade that is paid; its number at Alipay."""
    opened(place, number, amount, **extra)
    return place.emulator.pay(number).trade_no


def share(place: Place, trade_no: str, number: str, *parts: tuple[str, str], **more: Any) -> str:
    """What became of it: ``settle_no`` or the sub code."""
    listed = [{"trans_in": to, "trans_in_type": "userId", "amount": much} for to, much in parts]
    content = {"trade_no": trade_no, "out_request_no": number, **more}
    answer = place.merchant.call(SETTLE, content | {"royalty_parameters": listed})
    return answer.get("settle_no") or answer["sub_code"]


def states(place: Place, trade_no: str, number: str) -> list[tuple[str, str, str]]:
    told = place.merchant.call(QUERY, {"trade_no": trade_no, "out_request_no": number})
    assert told["code"] == "10000", told
    return [
        (one["trans_in"], one["state"], one.get("error_code", ""))
        for one in told.get("royalty_detail_list", [])
    ]


def left(place: Place, trade_no: str) -> str:
    return place.merchant.call(LEFT, {"trade_no": trade_no})["unsettled_amount"]


def refund(place: Place, number: str, amount: str, *returns: tuple[str, str]) -> dict[str, Any]:
    content: dict[str, Any] = {
        "out_trade_no": number,
        "refund_amount": amount,
        "out_request_no": f"{number}-r{amount}",
        "refund_royalty_parameters": [
            {"royalty_type": "transfer", "trans_out": who, "amount": much} for who, much in returns
        ],
    }
    return place.merchant.call(REFUND, content)


def test_who_may_receive(place: Place) -> None:
    assert bind(place, AGENCY, COURIER)["result_code"] == "SUCCESS"
    assert bind(place, AGENCY)["result_code"] == "SUCCESS"  # again is no error
    listed = place.merchant.call(LIST, {"out_request_no": "L1", "page_size": 1, "page_num": 2})
    assert (listed["total_record_num"], listed["total_page_num"]) == (2, 2)
    assert [one["account"] for one in listed["receiver_list"]] == [COURIER]
    place.merchant.call(
        UNBIND,
        {"out_request_no": "U1", "receiver_list": [{"type": "userId", "account": AGENCY}]},
    )
    assert share(place, paid(place, "S-1"), "S1", (AGENCY, "1.00")) == (
        "ACQ.ROYALTY_RECEIVER_INVALID"
    )
    assert bind(place)["sub_code"] == "RECEIVER_LIST_EMPTY"
    assert bind(place, *[str(n) for n in range(21)])["sub_code"] == "RECEIVER_LIST_OVERLOAD"
    place.emulator.set_receiver(AGENCY, certified=False)
    assert bind(place, AGENCY)["sub_code"] == "RECEIVER_ACCOUNT_NOT_CERTIFY"
    place.emulator.set_receiver(AGENCY, exists=False)
    assert bind(place, AGENCY)["sub_code"] == "USER_NOT_EXIST"
    place.emulator.set_receiver(AGENCY, name="王芳")
    assert bind(place, AGENCY, name="王方")["sub_code"] == "USERNAME_NOT_MATCH"


def test_at_once_it_is_all_or_nothing(place: Place) -> None:
    bind(place, AGENCY, COURIER)
    trade_no = paid(place, "S-2")
    place.emulator.set_receiver(COURIER, certified=False)
    parts = ((AGENCY, "20.00"), (COURIER, "5.00"))
    refused = "ACQ.ROYALTY_RECEIVER_ACCOUNT_NOT_CERTIFY"
    assert share(place, trade_no, "S1", *parts) == refused
    assert left(place, trade_no) == "30.00"
    assert states(place, trade_no, "S1") == []

    place.emulator.set_receiver(COURIER)
    settle_no = share(place, trade_no, "S1", *parts)
    assert settle_no.isdigit()
    assert share(place, trade_no, "S1", *parts) == settle_no  # the same again moves nothing
    assert share(place, trade_no, "S1", (AGENCY, "1.00")) == "ACQ.DISCORDANT_REPEAT_REQUEST"
    assert states(place, trade_no, "S1") == [(AGENCY, "SUCCESS", ""), (COURIER, "SUCCESS", "")]
    assert left(place, trade_no) == "5.00"
    assert share(place, trade_no, "S2", (AGENCY, "5.01")) == "ACQ.ALLOC_AMOUNT_VALIDATE_ERROR"
    assert [len(one.royalties) for one in place.emulator.shares("S-2")] == [2]


def test_later_each_share_ends_for_itself_and_a_message_tells(place: Place) -> None:
    switch(place, gateway_url=place.shop.notify_url)
    bind(place, AGENCY, COURIER)
    trade_no = paid(place, "S-3")
    place.emulator.set_receiver(COURIER, refuses="ACQ.ROYALTY_RECEIVER_ACCOUNT_NOT_CERTIFY")
    parts = ((AGENCY, "20.00"), (COURIER, "5.00"))
    share(place, trade_no, "S1", *parts, royalty_mode="async")
    processing = [(AGENCY, "PROCESSING", ""), (COURIER, "PROCESSING", "")]
    assert states(place, trade_no, "S1") == processing
    place.shop.received.clear()

    place.emulator.advance(3)
    place.emulator.settle()

    ended = [
        (AGENCY, "SUCCESS", ""),
        (COURIER, "FAIL", "ROYALTY_RECEIVER_ACCOUNT_NOT_CERTIFY"),
    ]
    assert states(place, trade_no, "S1") == ended
    (message,) = [got.text() for got in place.shop.received]
    assert message["msg_method"] == "alipay.trade.order.settle.notify"
    told = json.loads(message["biz_content"])
    assert (told["msg_type"], told["out_request_no"]) == ("ASYNC_SETTLE_RESULT", "S1")
    said = [(one["trans_in"], one["state"]) for one in told["royalty_detail_list"]]
    assert said == [one[:2] for one in ended]
    assert left(place, trade_no) == "10.00"  # what failed can be passed on again


def test_the_accounts_know_it(place: Place) -> None:
    bind(place, AGENCY)
    trade_no = paid(place, "S-4")
    share(place, trade_no, "S1", (AGENCY, "20.00"))
    assert refund(place, "S-4", "50.00", (AGENCY, "8.00"))["fund_change"] == "Y"
    accounts = place.emulator.desk.accounts
    moved = [(one.business, str(one.amount)) for one in accounts.of_number(AGENCY, trade_no)]
    assert moved == [(Business.SHARE, "20.00"), (Business.SHARE_RETURN, "-8.00")]
    assert str(accounts.balance(AGENCY)) == "12.00"


def test_a_refund_takes_back_from_those_it_names(place: Place) -> None:
    bind(place, AGENCY, COURIER)
    share(place, paid(place, "S-5"), "S1", (AGENCY, "20.00"), (COURIER, "5.00"))
    place.emulator.set_receiver(COURIER, gives_back="unauthorised")
    no = refund(place, "S-5", "50.00", (AGENCY, "10.00"), (COURIER, "1.00"))
    assert no["sub_code"] == "ACQ.REFUNDALLOC_UNAUTH_LIMIT"
    place.emulator.set_receiver(COURIER, gives_back="insolvent")
    no = refund(place, "S-5", "51.00", (COURIER, "1.00"))
    assert no["sub_code"] == "ACQ.TRADE_SETTLE_ERROR"
    no = refund(place, "S-5", "52.00", (AGENCY, "20.01"))
    assert no["sub_code"] == "ACQ.ALLOC_AMOUNT_VALIDATE_ERROR"
    no = refund(place, "S-5", "53.00", ("2088", "1.00"))
    assert no["sub_code"] == "ACQ.REFUND_ROYALTY_PAYEE_ACCOUNT_NOT_EXIST"

    assert refund(place, "S-5", "50.00", (AGENCY, "10.00"))["fund_change"] == "Y"
    assert refund(place, "S-5", "50.00", (AGENCY, "10.00"))["fund_change"] == "N"
    asked = {"out_trade_no": "S-5", "out_request_no": "S-5-r50.00"}
    (told,) = place.merchant.call(REFUND_QUERY, asked)["refund_royaltys"]
    assert (told["trans_out"], told["refund_amount"]) == (AGENCY, "10.00")


def test_face_to_face_all_give_back_their_part_by_themselves(place: Place) -> None:
    bind(place, AGENCY)
    terms = {"out_trade_no": "S-6", "total_amount": "100.00", "subject": "茶"}
    code = {"auth_code": place.emulator.payment_code(), "scene": "bar_code"}
    trade_no = place.merchant.call("alipay.trade.pay", terms | code)["trade_no"]
    share(place, trade_no, "S1", (AGENCY, "30.00"))
    assert refund(place, "S-6", "50.00")["fund_change"] == "Y"
    asked = {"out_trade_no": "S-6", "out_request_no": "S-6-r50.00"}
    (told,) = place.merchant.call(REFUND_QUERY, asked)["refund_royaltys"]
    assert told["refund_amount"] == "15.00"


def test_when_nothing_can_be_passed_on(place: Place) -> None:
    bind(place, AGENCY)
    opened(place, "S-7")
    (waiting,) = place.emulator.trades
    assert share(place, waiting.trade_no, "S1", (AGENCY, "1.00")) == "ACQ.TRADE_STATUS_ERROR"
    place.emulator.pay("S-7")
    assert share(place, "20260000", "S2", (AGENCY, "1.00")) == "ACQ.TRADE_NOT_EXIST"
    seller = place.merchant.credentials["seller_id"]
    assert share(place, waiting.trade_no, "S3", (seller, "1.00")) == "ACQ.ROYALTY_ACCOUNTS_EQUAL"
    refund(place, "S-7", "10.00")
    assert share(place, waiting.trade_no, "S4", (AGENCY, "1.00")) == "ACQ.ALLOC_REFUSE_AFTER_REFUND"


def test_a_frozen_payment_is_let_go_by_a_finish(place: Place) -> None:
    bind(place, AGENCY)
    trade_no = paid(place, "S-8", extend_params={"royalty_freeze": "true"})
    finish = {"extend_params": {"royalty_finish": "true"}}
    assert share(place, trade_no, "S1", (AGENCY, "20.00"), **finish).isdigit()
    assert share(place, trade_no, "S2", (AGENCY, "1.00")) == "ACQ.ALREADY_FINISH_ALLOC"
    assert left(place, trade_no) == "0.00"


@pytest.mark.parametrize("is_told", [True, False])
def test_a_freeze_that_ends_by_itself_is_told_to_the_gateway(place: Place, is_told: bool) -> None:
    switch(place, gateway_url=place.shop.notify_url, thaw_notified=is_told)
    trade_no = paid(place, "S-10", extend_params={"royalty_freeze": "true"})
    paid(place, "S-11")
    place.emulator.advance(30 * 86400 - 60)
    place.emulator.settle()
    assert thaws(place) == []
    place.emulator.advance(60)
    place.emulator.settle()
    wanted = [("AUTO_SETTLE_FINISH", trade_no, "99.40")] if is_told else []
    assert thaws(place) == wanted
    place.emulator.advance(86400)
    place.emulator.settle()
    assert thaws(place) == wanted


def thaws(place: Place) -> list[tuple[str, str, str]]:
    """What the gateway was told of freezes that ended."""
    heard = [got.text() for got in place.shop.received]
    told = [json.loads(one["biz_content"]) for one in heard if one.get("msg_method") == SETTLED]
    return [(one["msg_type"], one["trade_no"], one["royalty_finish_amount"]) for one in told]


def test_direct_pay_confirms_before_it_shares(place: Place) -> None:
    bind(place, AGENCY)
    trade_no = paid(place, "S-9")
    content: dict[str, Any] = {
        "trade_no": trade_no,
        "out_request_no": "C1",
        "settle_info": {"settle_detail_infos": [{"trans_in_type": "defaultSettle"}]},
    }

    def confirm(amount: str, number: str = "C1") -> str:
        detail = {"trans_in_type": "defaultSettle", "amount": amount}
        given = content | {
            "out_request_no": number,
            "settle_info": {"settle_detail_infos": [detail]},
        }
        answer = place.merchant.call(CONFIRM, given)
        return answer.get("settle_amount") or answer["sub_code"]

    assert confirm("100.00") == "ACQ.SETTLE_SCENE_NOT_SUPPORT"
    switch(place, direct_pay=True)
    assert share(place, trade_no, "S1", (AGENCY, "1.00")) == "ACQ.ALLOC_REFUSE_BEFORE_SETTLE"
    assert confirm("99.00") == "ACQ.INVALID_SETTLE_AMOUNT_PARAMETER"
    assert confirm("100.00") == "100.00"
    assert confirm("100.00") == "100.00"
    assert confirm("100.00", "C2") == "ACQ.ALREADY_CONFIRM_SETTLE"
    assert share(place, trade_no, "S1", (AGENCY, "1.00")).isdigit()


@pytest.mark.parametrize("percent", [0, 80])
def test_the_agreement_says_how_much(place: Place, percent: int) -> None:
    switch(place, royalty_percent=percent)
    assert place.merchant.call(RATE, {"out_request_no": "Q1"})["max_ratio"] == percent
    path = "/v3/alipay/trade/royalty/rate/query?out_request_no=Q1"
    assert call(place, b"", path, verb="GET").json()["max_ratio"] == percent
