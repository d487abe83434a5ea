"""Every fault of the catalogue, by name, does what its paragraph says."""

from __future__ import annotations

import inspect
import json
import sys
import time
from typing import Any

import httpx2
import pytest
from starlette.responses import Response

from daozhang.emulator.faults import Fault, FaultName, Faults
from daozhang.emulator.ledger import TradeStatus
from daozhang.emulator.notifier import Delivery
from emulator.place import Place, is_signed, opened, refund
from emulator.test_agreements import agree, deduct, sign_page

QUERY, REFUND, CANCEL = "alipay.trade.query", "alipay.trade.refund", "alipay.trade.cancel"


def raw(place: Place, method: str, biz: dict[str, Any]) -> httpx2.Response:
    return place.merchant.post(place.merchant.signed(place.merchant.parameters(method, biz)))


def paid(place: Place, number: str) -> None:
    opened(place, number)
    place.emulator.pay(number)


def test_notify_twice(place: Place) -> None:
    place.emulator.set_fault("notify_twice")
    paid(place, "f-1")
    first, second = place.shop.received
    assert first.text()["notify_id"] == second.text()["notify_id"]
    assert len(place.emulator.notifications[0].attempts) == 2


def test_notify_never(place: Place) -> None:
    place.emulator.set_fault("notify_never", out_trade_no="f-2")
    paid(place, "f-2")
    place.emulator.advance(25 * 3600)
    assert place.shop.received == []
    assert place.merchant.call(QUERY, {"out_trade_no": "f-2"})["trade_status"] == "TRADE_SUCCESS"
    paid(place, "f-2b")
    assert len(place.shop.received) == 1


def test_notify_before_return(place: Place) -> None:
    place.emulator.set_fault("notify_before_return")
    paid(place, "f-3")
    place.shop.received.clear()
    raw(place, REFUND, {"out_trade_no": "f-3", "refund_amount": "1.00", "out_request_no": "r"})
    assert len(place.shop.received) == 1
    page = place.merchant.open_page("f-3b", notify_url=place.shop.notify_url)
    place.shop.received.clear()
    place.http.post(f"{page.url}/pay", data={"channel": "balance", "password": "888888"})
    assert len(place.shop.received) == 1


def test_notify_out_of_order(place: Place) -> None:
    place.emulator.set_fault("notify_out_of_order", times=1)
    paid(place, "f-4")
    refund(place, "f-4", "1.00", "r")
    place.emulator.advance(240)
    told = [got.text().get("refund_fee", "paid") for got in place.shop.received]
    assert told == ["1.00", "paid"]


def test_notify_bad_signature(place: Place) -> None:
    place.emulator.set_fault("notify_bad_signature", times=1)
    place.shop.answer = lambda got: Response(b"success" if is_signed(place, got) else b"fail")
    paid(place, "f-5")
    place.emulator.advance(240)
    assert [is_signed(place, got) for got in place.shop.received] == [False, True]


def test_notify_answer_lost(place: Place) -> None:
    place.emulator.set_fault("notify_answer_lost", times=1)
    paid(place, "f-5b")
    (notification,) = place.emulator.notifications
    assert notification.delivery is Delivery.PENDING
    place.emulator.advance(240)
    first, second = place.shop.received
    assert first.text()["notify_id"] == second.text()["notify_id"]
    assert [attempt.acknowledged for attempt in notification.attempts] == [False, True]


def test_amount_off_by_one(place: Place) -> None:
    place.emulator.set_fault("amount_off_by_one")
    paid(place, "f-6")
    got = place.shop.received[0]
    assert got.text()["total_amount"] == "10.01"
    assert is_signed(place, got)


def test_refund_notice_without_ids(place: Place) -> None:
    place.emulator.set_fault("refund_notice_without_ids")
    paid(place, "f-7")
    refund(place, "f-7", "10.00", "r")
    payment, full = (got.text() for got in place.shop.received)
    assert {"app_id", "auth_app_id", "seller_id"} <= set(payment)
    assert not {"app_id", "auth_app_id", "seller_id"} & set(full)
    assert is_signed(place, place.shop.received[1])


def test_external_refund(place: Place) -> None:
    place.emulator.set_fault("external_refund", times=1)
    paid(place, "f-8")
    (only,) = place.emulator.trade("f-8").refunds
    assert (str(only.amount), only.origin.value) == ("5.00", "centre")
    # Both notices are due at the same moment, and either may come first.
    named = [got.text().get("out_biz_no") for got in place.shop.received]
    assert sorted(named, key=str) == sorted([None, only.out_request_no], key=str)


def test_query_closed_without_amounts(place: Place) -> None:
    place.emulator.set_fault("query_closed_without_amounts")
    paid(place, "f-9")
    assert "receipt_amount" in place.merchant.call(QUERY, {"out_trade_no": "f-9"})
    refund(place, "f-9", "10.00", "r")
    node = place.merchant.call(QUERY, {"out_trade_no": "f-9"})
    assert node["trade_status"] == "TRADE_CLOSED"
    assert not [name for name in node if name.endswith("_amount") or name == "fund_bill_list"]


def test_pay_after_not_exist(place: Place) -> None:
    place.emulator.set_fault("pay_after_not_exist", times=1)
    place.http.get(place.merchant.page_address("f-10", notify_url=place.shop.notify_url))
    assert (
        raw(place, QUERY, {"out_trade_no": "f-10"}).json()["alipay_trade_query_response"][
            "sub_code"
        ]
        == "ACQ.TRADE_NOT_EXIST"
    )
    assert place.emulator.trade("f-10").status is TradeStatus.TRADE_SUCCESS
    place.emulator.settle()
    assert len(place.shop.received) == 1


def test_pay_during_cancel(place: Place) -> None:
    place.emulator.set_fault("pay_during_cancel")
    opened(place, "f-11")
    assert place.merchant.call(CANCEL, {"out_trade_no": "f-11"})["action"] == "refund"
    place.emulator.settle()
    statuses = [got.text()["trade_status"] for got in place.shop.received]
    assert sorted(statuses) == ["TRADE_CLOSED", "TRADE_SUCCESS"]


def test_cancel_not_allowed(place: Place) -> None:
    paid(place, "f-11b")
    place.emulator.set_fault("cancel_not_allowed", out_trade_no="f-11b")
    refused = place.merchant.call(CANCEL, {"out_trade_no": "f-11b"})
    assert (refused["code"], refused["sub_code"]) == ("40004", "ACQ.CANCEL_NOT_ALLOWED")
    assert place.emulator.trade("f-11b").status == "TRADE_SUCCESS"


def test_gateway_timeout_after_success(place: Place) -> None:
    paid(place, "f-12")
    place.emulator.set_fault("gateway_timeout_after_success", method=REFUND, seconds=0.01)
    answer = raw(
        place, REFUND, {"out_trade_no": "f-12", "refund_amount": "1.00", "out_request_no": "r"}
    )
    assert answer.status_code == 504
    assert str(place.emulator.trade("f-12").refunded) == "1.00"


def test_gateway_20000(place: Place) -> None:
    paid(place, "f-13")
    place.emulator.set_fault("gateway_20000", times=1)
    terms = {"out_trade_no": "f-13", "refund_amount": "1.00", "out_request_no": "r"}
    node = place.merchant.call(REFUND, terms)
    assert (node["code"], node["sub_code"]) == ("20000", "isp.unknow-error")
    assert str(place.emulator.trade("f-13").refunded) == "0.00"
    assert place.merchant.call(REFUND, terms)["fund_change"] == "Y"


def test_gateway_bad_signature(place: Place) -> None:
    paid(place, "f-14")
    place.emulator.set_fault("gateway_bad_signature")
    with pytest.raises(AssertionError):
        place.merchant.call(QUERY, {"out_trade_no": "f-14"})
    assert raw(place, QUERY, {"out_trade_no": "f-14"}).json()["sign"]


def test_gateway_unsigned(place: Place) -> None:
    paid(place, "f-15")
    place.emulator.set_fault("gateway_unsigned")
    answer = raw(place, QUERY, {"out_trade_no": "f-15"})
    assert list(answer.json()) == ["alipay_trade_query_response"]


def test_gateway_gbk_error(place: Place) -> None:
    place.emulator.set_fault("gateway_gbk_error")
    body = raw(place, QUERY, {"out_trade_no": "f-16"}).content
    with pytest.raises(UnicodeDecodeError):
        body.decode("utf-8")
    content = json.loads(body.decode("gbk"))
    node = content["alipay_trade_query_response"]
    assert (node["code"], node["sub_code"]) == ("20000", "aop.unknow-error")
    signed = body.removeprefix(b'{"alipay_trade_query_response":').partition(b',"sign"')[0]
    assert place.merchant.alipay_signed(signed, content["sign"])


def test_seller_balance_not_enough(place: Place) -> None:
    paid(place, "f-18")
    terms = {"out_trade_no": "f-18", "refund_amount": "1.00", "out_request_no": "r-1"}
    refund(place, "f-18", "1.00", "r-1")
    place.emulator.set_fault("seller_balance_not_enough")
    # What has gone back needs no money; what is new does.
    assert place.merchant.call(REFUND, terms)["fund_change"] == "N"
    refused = place.merchant.call(REFUND, terms | {"out_request_no": "r-2"})
    assert (refused["code"], refused["sub_code"]) == ("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH")
    assert len(place.emulator.trades[-1].refunds) == 1
    place.emulator.clear_faults()
    refund(place, "f-18", "1.00", "r-2")


def test_slow(place: Place) -> None:
    place.emulator.set_fault("slow", seconds=0.3, times=1)
    began = time.perf_counter()
    place.merchant.call(QUERY, {"out_trade_no": "f-17"})
    assert time.perf_counter() - began >= 0.3


def test_buyer_balance_not_enough(place: Place) -> None:
    page = sign_page(
        place,
        "n-1",
        personal_product_code="GENERAL_WITHHOLDING_P",
        product_code="GENERAL_WITHHOLDING",
        period_rule_params=None,
    )
    agree(place, page)
    number = place.emulator.agreements[0].agreement_no
    place.emulator.set_fault("buyer_balance_not_enough", out_trade_no="x-1", times=1)
    assert deduct(place, number, "x-1")["sub_code"] == "ACQ.BUYER_BALANCE_NOT_ENOUGH"
    assert deduct(place, number, "x-1")["code"] == "10000"


def test_no_fault_of_the_catalogue_is_without_its_test() -> None:
    here = dict(inspect.getmembers(sys.modules[__name__], inspect.isfunction))
    assert {f"test_{name.value}" for name in FaultName} <= set(here)


def test_chance_is_repeatable_by_its_seed() -> None:
    def strikes(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.set(Fault(FaultName.SLOW, probability=0.5))
        return [faults.strike(FaultName.SLOW) is not None for _ in range(40)]

    assert strikes(1) == strikes(1) != strikes(2)
    assert 5 < sum(strikes(1)) < 35


def test_selectors_and_times_bound_a_fault() -> None:
    faults = Faults()
    faults.set(Fault(FaultName.SLOW, out_trade_no="a", method="m", times=2))
    assert faults.strike(FaultName.SLOW, out_trade_no="b", method="m") is None
    assert faults.strike(FaultName.SLOW, out_trade_no="a", method="n") is None
    struck = [faults.strike(FaultName.SLOW, out_trade_no="a", method="m") for _ in range(3)]
    assert [fault is not None for fault in struck] == [True, True, False]
    assert faults.all() == []
