"""The trade ledger seen through the API: what each method answers in each state."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daozhang.clock import to_beijing_text
from daozhang.emulator.ledger import (
    Channel,
    Declined,
    Ledger,
    PaymentRequest,
    Product,
    RefundOrigin,
    Trade,
    TradeStatus,
)
from daozhang.money import Money
from emulator.place import Place

QUERY, CLOSE, CANCEL = "alipay.trade.query", "alipay.trade.close", "alipay.trade.cancel"
REFUND, REFUND_QUERY = "alipay.trade.refund", "alipay.trade.fastpay.refund.query"
PRECREATE = "alipay.trade.precreate"


def sub_code(node: dict[str, Any]) -> str:
    assert node["code"] == "40004", node
    return str(node["sub_code"])


def paid(place: Place, number: str, amount: str = "10.00") -> None:
    place.merchant.open_page(number, amount)
    place.emulator.pay(number)


def test_a_trade_comes_to_be_when_the_page_is_opened(place: Place) -> None:
    place.http.get(place.merchant.page_address("t-1"))  # redirected, not followed
    assert sub_code(place.merchant.call(QUERY, {"out_trade_no": "t-1"})) == "ACQ.TRADE_NOT_EXIST"
    place.merchant.open_page("t-1")
    node = place.merchant.call(QUERY, {"out_trade_no": "t-1"})
    assert (node["trade_status"], node["total_amount"]) == ("WAIT_BUYER_PAY", "88.88")
    assert len(node["trade_no"]) == 28
    assert node["trade_no"].startswith(f"{place.clock.now():%Y}")


def test_a_paid_trade_tells_how_and_when(place: Place) -> None:
    place.merchant.open_page("t-2")
    place.emulator.pay("t-2", channel="credit_card")
    node = place.merchant.call(QUERY, {"out_trade_no": "t-2"})
    assert node["trade_status"] == "TRADE_SUCCESS"
    assert node["send_pay_date"] == to_beijing_text(place.clock.now())
    assert node["receipt_amount"] == node["buyer_pay_amount"] == "88.88"
    assert node["fund_bill_list"] == [
        {"fund_channel": "BANKCARD", "amount": "88.88", "fund_type": "CREDIT_CARD"}
    ]


def test_trade_no_wins_over_out_trade_no(place: Place) -> None:
    place.merchant.open_page("t-3")
    trade_no = place.emulator.trade("t-3").trade_no
    node = place.merchant.call(QUERY, {"out_trade_no": "else", "trade_no": trade_no})
    assert node["out_trade_no"] == "t-3"


def test_the_same_number_reopens_and_other_terms_are_inconsistent(place: Place) -> None:
    place.merchant.open_page("t-4", "5.00")
    first = place.emulator.trade("t-4").trade_no
    place.merchant.open_page("t-4", "5.00")
    assert place.emulator.trade("t-4").trade_no == first
    assert "ACQ.CONTEXT_INCONSISTENT" in place.merchant.open_page("t-4", "6.00").content.decode(
        "gbk"
    )


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"amount": "0"}, "ACQ.INVALID_PARAMETER"),
        ({"amount": "0.001"}, "ACQ.INVALID_PARAMETER"),
        ({"amount": "-1.00"}, "ACQ.INVALID_PARAMETER"),
        ({"amount": "1e2"}, "ACQ.INVALID_PARAMETER"),
        ({"amount": "100000000.01"}, "ACQ.TOTAL_FEE_EXCEED"),
        ({"subject": "a/b"}, "ACQ.INVALID_PARAMETER"),
        ({"subject": "a=b"}, "ACQ.INVALID_PARAMETER"),
        ({"subject": "a&b"}, "ACQ.INVALID_PARAMETER"),
        ({"subject": ""}, "ACQ.INVALID_PARAMETER"),
        ({"subject": "x" * 257}, "ACQ.INVALID_PARAMETER"),
        ({"subject": "\ud800"}, "ACQ.INVALID_PARAMETER"),
        ({"subject": {"a": 1}}, "ACQ.INVALID_PARAMETER"),
        ({"time_expire": "tomorrow"}, "ACQ.INVALID_PARAMETER"),
        ({"time_expire": "2020-01-01 00:00:00"}, "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR"),
        ({"timeout_express": "16d"}, "ACQ.INVALID_PARAMETER"),
        ({"timeout_express": "1.5h"}, "ACQ.INVALID_PARAMETER"),
        ({"notify_url": "ftp://x"}, "ACQ.INVALID_PARAMETER"),
        ({"notify_url": "http://"}, "ACQ.INVALID_PARAMETER"),
        ({"notify_url": "http://x:99999/"}, "ACQ.INVALID_PARAMETER"),
        ({"return_url": "javascript:alert(1)"}, "ACQ.INVALID_PARAMETER"),
        ({"seller_id": "2088000000000000"}, "ACQ.INVALID_PARAMETER"),
    ],
)
def test_terms_out_of_their_rules_are_refused_on_the_page(
    place: Place, terms: dict[str, Any], code: str
) -> None:
    if terms.get("subject") == "\ud800":
        biz = '{"out_trade_no":"bad","total_amount":"1.00","subject":"\\ud800"}'
        answer = place.merchant.post(
            place.merchant.signed(place.merchant.parameters("alipay.trade.page.pay", biz))
        )
    else:
        answer = place.merchant.open_page("bad", **terms)
    assert code in answer.content.decode("gbk")
    assert place.emulator.trades == []


@pytest.mark.parametrize("number", ["a-b_C9", "9" * 64])
def test_numbers_with_hyphens_are_taken(place: Place, number: str) -> None:
    place.merchant.open_page(number)
    assert place.emulator.trade(number).total == Money.parse("88.88")


@pytest.mark.parametrize("number", ["", "a b", "数", "9" * 65, "a.b"])
def test_other_numbers_are_refused(place: Place, number: str) -> None:
    place.merchant.open_page(number)
    assert place.emulator.trades == []


def test_a_trade_closes_when_its_time_is_over(place: Place) -> None:
    place.merchant.open_page("t-5", timeout_express="30m")
    place.emulator.advance(30 * 60 - 1)
    assert place.emulator.trade("t-5").status is TradeStatus.WAIT_BUYER_PAY
    place.emulator.advance(1)
    assert place.merchant.call(QUERY, {"out_trade_no": "t-5"})["trade_status"] == "TRADE_CLOSED"
    with pytest.raises(Declined, match="TRADE_HAS_CLOSE"):
        place.emulator.pay("t-5")
    assert "ACQ.TRADE_HAS_CLOSE" in place.merchant.open_page("t-5").content.decode("gbk")


def test_time_expire_wins_over_timeout_express(place: Place) -> None:
    until = to_beijing_text(place.clock.now().replace(microsecond=0))[:-5] + "59:59"
    place.merchant.open_page("t-6", time_expire=until, timeout_express="10d")
    assert to_beijing_text(place.emulator.trade("t-6").request.expires_at) == until


def test_close_is_for_waiting_trades_only(place: Place) -> None:
    assert sub_code(place.merchant.call(CLOSE, {"out_trade_no": "c-1"})) == "ACQ.TRADE_NOT_EXIST"
    place.merchant.open_page("c-1")
    assert place.merchant.call(CLOSE, {"out_trade_no": "c-1"})["out_trade_no"] == "c-1"
    again = place.merchant.call(CLOSE, {"out_trade_no": "c-1"})
    assert sub_code(again) == "ACQ.REASON_TRADE_STATUS_INVALID"
    paid(place, "c-2")
    assert sub_code(place.merchant.call(CLOSE, {"out_trade_no": "c-2"})) == "ACQ.TRADE_STATUS_ERROR"


def test_cancel_closes_refunds_or_bars(place: Place) -> None:
    place.merchant.open_page("x-1")
    assert place.merchant.call(CANCEL, {"out_trade_no": "x-1"})["action"] == "close"
    assert place.merchant.call(CANCEL, {"out_trade_no": "x-1"})["action"] == "close"
    paid(place, "x-2")
    node = place.merchant.call(CANCEL, {"out_trade_no": "x-2"})
    assert (node["action"], node["retry_flag"]) == ("refund", "N")
    trade = place.emulator.trade("x-2")
    assert (trade.status, str(trade.refunded)) == (TradeStatus.TRADE_CLOSED, "10.00")
    nothing = place.merchant.call(CANCEL, {"out_trade_no": "x-3"})
    assert nothing["code"] == "10000"
    assert "action" not in nothing
    assert "ACQ.TRADE_HAS_CLOSE" in place.merchant.open_page("x-3").content.decode("gbk")


def test_cancel_is_refused_after_a_day(place: Place) -> None:
    paid(place, "x-4")
    place.emulator.advance(24 * 3600 + 1)
    assert (
        sub_code(place.merchant.call(CANCEL, {"out_trade_no": "x-4"}))
        == "ACQ.TRADE_CANCEL_TIME_OUT"
    )


def test_a_refund_moves_money_once_per_number(place: Place) -> None:
    paid(place, "r-1")
    first = {"out_trade_no": "r-1", "refund_amount": "3.00", "out_request_no": "one"}
    node = place.merchant.call(REFUND, first)
    assert (node["fund_change"], node["refund_fee"]) == ("Y", "3.00")
    node = place.merchant.call(REFUND, first)
    assert (node["fund_change"], node["refund_fee"]) == ("N", "3.00")
    other = place.merchant.call(REFUND, first | {"refund_amount": "4.00"})
    assert sub_code(other) == "ACQ.DISCORDANT_REPEAT_REQUEST"
    node = place.merchant.call(REFUND, first | {"refund_amount": "7.00", "out_request_no": "two"})
    assert (node["fund_change"], node["refund_fee"]) == ("Y", "10.00")
    assert place.emulator.trade("r-1").status is TradeStatus.TRADE_CLOSED
    assert place.merchant.call(REFUND, first)["fund_change"] == "N"


def test_a_refund_is_declined_by_the_table(place: Place) -> None:
    assert refund(place, "r-0") == "ACQ.TRADE_NOT_EXIST"
    place.merchant.open_page("r-2", "10.00")
    assert refund(place, "r-2") == "ACQ.TRADE_STATUS_ERROR"
    place.emulator.pay("r-2")
    assert refund(place, "r-2", refund_amount="10.01") == "ACQ.REASON_TRADE_REFUND_FEE_ERR"
    assert refund(place, "r-2", out_request_no="") == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    assert refund(place, "r-2", refund_amount="0.00") == "ACQ.INVALID_PARAMETER"
    place.emulator.refund("r-2")
    assert refund(place, "r-2") == "ACQ.TRADE_HAS_CLOSE"


def refund(place: Place, number: str, **change: str) -> str:
    terms = {"out_trade_no": number, "refund_amount": "1.00", "out_request_no": "n"} | change
    return sub_code(place.merchant.call(REFUND, terms))


def test_without_a_number_the_refund_has_the_trades_own(place: Place) -> None:
    paid(place, "r-3")
    place.merchant.call(REFUND, {"out_trade_no": "r-3", "refund_amount": "10.00"})
    node = place.merchant.call(REFUND_QUERY, {"out_trade_no": "r-3", "out_request_no": "r-3"})
    assert (node["refund_status"], node["refund_amount"]) == ("REFUND_SUCCESS", "10.00")


def test_the_refund_query_of_an_unknown_number_is_a_success_without_content(place: Place) -> None:
    paid(place, "r-4")
    node = place.merchant.call(REFUND_QUERY, {"out_trade_no": "r-4", "out_request_no": "never"})
    assert node == {"code": "10000", "msg": "Success"}


def test_after_the_refund_window_a_trade_is_finished(place: Place) -> None:
    place.merchant.control("POST", f"switches/{place.merchant.app_id}", refund_window_days=90)
    paid(place, "f-1")
    place.emulator.advance(90 * 86400)
    assert place.emulator.trade("f-1").status is TradeStatus.TRADE_FINISHED
    assert refund(place, "f-1") == "ACQ.TRADE_HAS_FINISHED"
    cancel = place.merchant.call(CANCEL, {"out_trade_no": "f-1"})
    assert sub_code(cancel) == "ACQ.TRADE_HAS_FINISHED"


def test_a_product_without_refunds_is_finished_at_once(place: Place) -> None:
    place.merchant.control("POST", f"switches/{place.merchant.app_id}", finished_at_once=True)
    paid(place, "f-2")
    assert place.emulator.trade("f-2").status is TradeStatus.TRADE_FINISHED


def test_precreate_gives_a_code_that_opens_the_cashier(place: Place) -> None:
    terms = {"out_trade_no": "q-1", "total_amount": "2.00", "subject": "扫码"}
    node = place.merchant.call(PRECREATE, terms)
    assert sub_code(place.merchant.call(QUERY, {"out_trade_no": "q-1"})) == "ACQ.TRADE_NOT_EXIST"
    assert place.merchant.call(PRECREATE, terms)["code"] == "10000"
    changed = place.merchant.call(PRECREATE, terms | {"total_amount": "3.00"})
    assert sub_code(changed) == "ACQ.CONTEXT_INCONSISTENT"
    page = place.http.get(node["qr_code"], follow_redirects=True)
    assert "扫码" in page.text
    place.emulator.pay("q-1")
    assert sub_code(place.merchant.call(PRECREATE, terms)) == "ACQ.TRADE_HAS_SUCCESS"


def test_a_code_lives_two_hours(place: Place) -> None:
    terms = {"out_trade_no": "q-2", "total_amount": "2.00", "subject": "x"}
    code = place.merchant.call(PRECREATE, terms)["qr_code"]
    place.emulator.advance(2 * 3600)
    answer = place.http.get(code, follow_redirects=True)
    assert "ACQ.TRADE_HAS_CLOSE" in answer.content.decode("gbk")
    assert place.emulator.trades == []


def waiting_trade(ledger: Ledger, place: Place) -> Trade:
    now = place.clock.now()
    request = PaymentRequest(
        "a", "a", "s", "n", Money(1000), "x", Product.PAGE, "m", now.replace(year=now.year + 9)
    )
    return ledger.open(request, now)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from("pcxr"), st.integers(1, 1200), st.integers(0, 4)), max_size=14
    )
)
def test_no_sequence_refunds_more_than_was_paid_or_goes_back(
    place: Place, steps: list[tuple[str, int, int]]
) -> None:
    ledger, now = Ledger(), place.clock.now()
    trade = waiting_trade(ledger, place)
    for verb, fen, number in steps:
        before = ledger.find("s", "n")
        try:
            if verb == "p":
                ledger.pay(before, Channel.BALANCE, now)
            elif verb == "c":
                ledger.close(before, now)
            elif verb == "x":
                ledger.cancel("s", "n", "", now)
            else:
                ledger.refund(before, Money(fen), f"r{number}", "", RefundOrigin.API, now)
        except Declined:
            assert ledger.find("s", "n") == before
        after = ledger.find("s", "n")
        assert after.refunded <= (after.total if after.paid_at else Money(0))
        assert (after.remaining == Money(0)) <= (after.status is TradeStatus.TRADE_CLOSED)
        if before.status is TradeStatus.TRADE_CLOSED:
            assert after == before
    assert ledger.find("s", "n", trade.trade_no).created_at == now
