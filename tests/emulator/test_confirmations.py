"""Direct pay: what a payment waits for, what a query tells of it, and what confirming it does."""

from __future__ import annotations

from typing import Any

from daozhang.money import Money
from emulator.place import Place

CONFIRM = "alipay.trade.settle.confirm"
QUERY = "alipay.trade.query"


def switch(place: Place, **switches: Any) -> None:
    place.merchant.control("POST", f"switches/{place.merchant.app_id}", **switches)


def paid(place: Place, number: str) -> str:
    place.merchant.open_page(number, "100.00")
    return place.emulator.pay(number).trade_no


def confirm(place: Place, trade_no: str, amount: str = "100.00", **more: Any) -> str:
    detail = {"trans_in_type": "defaultSettle", "amount": amount}
    content = {
        "out_request_no": "C1",
        "trade_no": trade_no,
        "settle_info": {"settle_detail_infos": [detail]},
        **more,
    }
    answer = place.merchant.call(CONFIRM, content)
    return answer.get("settle_amount") or answer["sub_code"]


def told(place: Place, trade_no: str) -> dict[str, Any] | None:
    content = {"trade_no": trade_no, "query_options": ["trade_settle_info"]}
    return place.merchant.call(QUERY, content).get("trade_settle_info")


def pots(place: Place) -> tuple[str, str, str]:
    answer = place.merchant.call("alipay.data.bill.balance.query", {})
    return answer["available_amount"], answer["freeze_amount"], answer["settle_amount"]


def test_a_payment_waits_until_it_is_confirmed(place: Place) -> None:
    switch(place, direct_pay=True, opening_balance="0.00")
    trade_no = paid(place, "c-1")
    place.merchant.control("POST", "clock", advance_seconds=40 * 86400)
    assert pots(place) == ("0.00", "0.00", "99.40")
    assert told(place, trade_no) == {"trade_unsettled_amount": "100.00"}
    assert "trade_settle_info" not in place.merchant.call(QUERY, {"trade_no": trade_no})
    assert confirm(place, trade_no) == "100.00"
    assert pots(place) == ("99.40", "0.00", "0.00")
    after = told(place, trade_no)
    assert after is not None
    assert after["trade_unsettled_amount"] == "0.00"
    (detail,) = after["trade_settle_detail_list"]
    names = ("operation_type", "operation_serial_no", "amount")
    assert [detail[name] for name in names] == ["settle", "C1", "100.00"]


def test_what_was_refunded_is_not_confirmed(place: Place) -> None:
    switch(place, direct_pay=True, opening_balance="0.00")
    trade_no = paid(place, "c-2")
    terms = {"out_trade_no": "c-2", "refund_amount": "40.00", "out_request_no": "r1"}
    assert place.merchant.call("alipay.trade.refund", terms)["fund_change"] == "Y"
    assert told(place, trade_no) == {"trade_unsettled_amount": "60.00"}
    assert confirm(place, trade_no) == "ACQ.INVALID_SETTLE_AMOUNT_PARAMETER"
    assert confirm(place, trade_no, "60.00") == "60.00"
    place.emulator.refund("c-2", Money(60_00), "r2")
    assert pots(place) == ("0.00", "0.00", "0.00")


def test_after_it_is_confirmed_it_is_paid_out_as_the_agreement_says(monday: Place) -> None:
    switch(monday, direct_pay=True, settlement_days=1, opening_balance="0.00")
    trade_no = paid(monday, "c-3")
    assert confirm(monday, trade_no) == "100.00"
    after = told(monday, trade_no)
    assert after is not None
    assert after["trade_settle_detail_list"][0]["operation_type"] == "on_settle"
    assert pots(monday) == ("0.00", "0.00", "99.40")
    monday.merchant.control("POST", "clock", advance_seconds=24 * 3600)
    assert pots(monday) == ("99.40", "0.00", "0.00")


def test_a_confirmed_payment_can_stay_frozen_for_its_receivers(place: Place) -> None:
    switch(place, direct_pay=True, opening_balance="0.00")
    trade_no = paid(place, "c-4")
    freeze = {"royalty_freeze": "true"}
    assert confirm(place, trade_no, extend_params=freeze) == "100.00"
    assert confirm(place, trade_no) == "ACQ.DISCORDANT_REPEAT_REQUEST"
    assert pots(place) == ("0.00", "99.40", "0.00")
    place.merchant.control("POST", "clock", advance_seconds=30 * 86400)
    assert pots(place) == ("99.40", "0.00", "0.00")


def test_risk_control_can_suspend_it(place: Place) -> None:
    switch(place, direct_pay=True, settlement_suspended=True)
    trade_no = paid(place, "c-5")
    assert confirm(place, trade_no) == "ACQ.RISK_SETTLE_SUSPEND"
    switch(place, settlement_suspended=False)
    assert confirm(place, trade_no) == "100.00"
    assert told(place, trade_no) is not None


def test_whoever_is_no_direct_pay_merchant_is_told_nothing_of_it(place: Place) -> None:
    trade_no = paid(place, "c-6")
    assert told(place, trade_no) is None
    assert confirm(place, trade_no) == "ACQ.SETTLE_SCENE_NOT_SUPPORT"


def test_what_is_unpaid_or_refunded_cannot_be_confirmed(place: Place) -> None:
    switch(place, direct_pay=True)
    place.merchant.open_page("c-7", "100.00")
    (waiting,) = [one for one in place.emulator.trades if one.out_trade_no == "c-7"]
    assert told(place, waiting.trade_no) is None
    assert confirm(place, waiting.trade_no) == "ACQ.REASON_TRADE_STATUS_INVALID"
    place.emulator.pay("c-7")
    place.emulator.refund("c-7", None, "r1")
    assert confirm(place, waiting.trade_no) == "ACQ.CONFIRM_REFUSE_AFTER_REFUND"


def test_a_refund_after_it_names_the_request_that_confirmed_it(place: Place) -> None:
    switch(place, direct_pay=True)
    trade_no = paid(place, "c-8")
    terms = {"out_trade_no": "c-8", "refund_amount": "40.00", "out_request_no": "r1"}
    early = {**terms, "related_settle_confirm_no": "C1"}
    assert place.merchant.call("alipay.trade.refund", early)["sub_code"] == "ACQ.INVALID_PARAMETER"
    assert confirm(place, trade_no) == "100.00"
    for wrong in (terms, {**terms, "related_settle_confirm_no": "C2"}):
        answer = place.merchant.call("alipay.trade.refund", wrong)
        assert answer["sub_code"] == "ACQ.INVALID_PARAMETER"
    assert place.merchant.call("alipay.trade.refund", early)["fund_change"] == "Y"
    # What went back already is told whatever is named.
    assert place.merchant.call("alipay.trade.refund", terms)["fund_change"] == "N"
