"""Notifications as Alipay sends them: fields, signature, headers, ladder and triggers."""

from __future__ import annotations

import itertools
import threading
import time

import pytest
from starlette.responses import RedirectResponse, Response

from daozhang.clock import from_beijing_text, to_beijing_text
from daozhang.emulator.notifier import LADDER_SECONDS, Delivery
from emulator.place import Place, Received, is_signed, opened, refund

EVERY = {
    "gmt_create", "charset", "seller_email", "subject", "sign", "buyer_id", "notify_id",
    "notify_type", "trade_status", "app_id", "sign_type", "seller_id", "notify_time", "version",
    "out_trade_no", "total_amount", "trade_no", "auth_app_id", "buyer_logon_id",
}  # fmt: skip
PAID = EVERY | {
    "invoice_amount", "fund_bill_list", "receipt_amount", "buyer_pay_amount", "gmt_payment",
    "point_amount",
}  # fmt: skip
PARTLY_REFUNDED = EVERY | {"gmt_payment", "gmt_refund", "out_biz_no", "refund_fee"}


def test_a_payment_notice_has_the_fields_of_the_captured_one(place: Place) -> None:
    opened(place, "n-1")
    place.emulator.pay("n-1")
    (got,) = place.shop.received
    fields = got.text()
    assert set(fields) == PAID
    assert fields["trade_status"] == "TRADE_SUCCESS"
    assert fields["fund_bill_list"] == '[{"amount":"10.00","fundChannel":"ALIPAYACCOUNT"}]'
    assert len(fields["notify_id"]) == 34
    assert fields["notify_id"].isdigit()
    assert is_signed(place, got)


@pytest.mark.parametrize("over_http", [False, True])
def test_nothing_arrives_of_what_was_forgotten(place: Place, over_http: bool) -> None:
    """Or the next test is told of this one's payment."""
    answered = threading.Event()

    def slowly(_: Received) -> Response:
        time.sleep(0.3)
        answered.set()
        return Response(b"success")

    opened(place, "n-0")
    place.shop.answer = slowly
    paying = threading.Thread(target=place.emulator.pay, args=("n-0",))
    paying.start()
    while not place.shop.received:
        time.sleep(0.001)
    if over_http:
        place.http.post("/_control/reset", json={}).raise_for_status()
    else:
        place.emulator.reset()
    assert answered.is_set()
    paying.join()


def test_refund_notices_tell_the_sum_and_omit_the_payments_amounts(place: Place) -> None:
    opened(place, "n-2")
    place.emulator.pay("n-2")
    refund(place, "n-2", "3.00", "one")
    refund(place, "n-2", "7.00", "two")
    _, partial, full = (got.text() for got in place.shop.received)
    assert set(partial) == PARTLY_REFUNDED
    assert (partial["refund_fee"], partial["out_biz_no"]) == ("3.00", "one")
    assert partial["trade_status"] == "TRADE_SUCCESS"
    assert set(full) == PARTLY_REFUNDED | {"gmt_close"}
    assert (full["refund_fee"], full["trade_status"]) == ("10.00", "TRADE_CLOSED")
    assert len(full["gmt_refund"]) == len("2023-05-29 17:31:05.287")
    assert all(is_signed(place, got) for got in place.shop.received)


def test_what_the_merchant_sent_along_comes_back(place: Place) -> None:
    opened(place, "n-3", body="a+b 100% 😀", passback_params="k%3Dv%26w")
    place.emulator.pay("n-3")
    fields = place.shop.received[0].text()
    assert (fields["body"], fields["passback_params"]) == ("a+b 100% 😀", "k%3Dv%26w")
    assert is_signed(place, place.shop.received[0])


def test_the_header_is_the_captured_one_unless_switched(place: Place) -> None:
    opened(place, "n-4")
    place.emulator.pay("n-4")
    place.merchant.control("POST", f"switches/{place.merchant.app_id}", content_type="plain")
    opened(place, "n-5")
    place.emulator.pay("n-5")
    captured, plain = place.shop.received
    assert captured.content_type == "application/x-www-form-urlencoded; text/html; charset=UTF-8"
    assert plain.content_type == "application/x-www-form-urlencoded; charset=UTF-8"
    assert captured.headers["user-agent"] == "Mozilla/4.0"


def test_the_charset_is_the_requests_unless_switched(place: Place) -> None:
    opened(place, "n-6", charset="GBK", body="到账")
    place.emulator.pay("n-6")
    got = place.shop.received[0]
    assert got.pairs[b"body"] == "到账".encode("gbk")
    assert got.text()["charset"] == "GBK"
    assert is_signed(place, got)
    place.merchant.control("POST", f"switches/{place.merchant.app_id}", notify_charset="gbk")
    opened(place, "n-7", body="到账")
    place.emulator.pay("n-7")
    assert place.shop.received[1].pairs[b"body"] == "到账".encode("gbk")
    assert is_signed(place, place.shop.received[1])


def test_the_ladder_of_25_hours_plays_in_under_a_second(place: Place) -> None:
    place.shop.answer = lambda _: Response(b"fail")
    opened(place, "n-8")
    place.emulator.pay("n-8")
    began = time.perf_counter()
    place.merchant.control("POST", "clock", advance_seconds=25 * 3600)
    assert time.perf_counter() - began < 1
    times = [from_beijing_text(got.text()["notify_time"]) for got in place.shop.received]
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(times)]
    assert gaps == list(LADDER_SECONDS)
    assert len({got.text()["notify_id"] for got in place.shop.received}) == 1
    assert len({got.pairs[b"sign"] for got in place.shop.received}) == 8
    assert all(is_signed(place, got) for got in place.shop.received)
    assert place.emulator.notifications[0].delivery is Delivery.GIVEN_UP


def test_success_ends_the_ladder(place: Place) -> None:
    place.shop.answer = lambda _: Response(b"success" if len(place.shop.received) > 2 else b"no")
    opened(place, "n-9")
    place.emulator.pay("n-9")
    place.emulator.advance(25 * 3600)
    assert len(place.shop.received) == 3
    assert place.emulator.notifications[0].delivery is Delivery.ACKNOWLEDGED


@pytest.mark.parametrize(
    "answer",
    [
        Response(b"SUCCESS"),
        Response(b"success\n"),
        Response(b"\xef\xbb\xbfsuccess"),
        Response(b"<html>success</html>"),
        Response(b"success", 201),
        Response(b"success", 500),
        Response(b"success" * 10_000),
        RedirectResponse("/notify", 302),
    ],
)
def test_anything_but_exactly_success_is_a_failure(place: Place, answer: Response) -> None:
    place.shop.answer = lambda _: answer
    opened(place, "n-10")
    place.emulator.pay("n-10")
    (notification,) = place.emulator.notifications
    assert len(place.shop.received) == 1
    assert not notification.attempts[0].acknowledged
    assert notification.due_at is not None


def test_a_shop_that_cannot_be_reached_is_tried_again(place: Place) -> None:
    place.merchant.open_page("n-11", notify_url="http://127.0.0.1:9/notify")
    place.emulator.pay("n-11")
    place.emulator.advance(240)
    (notification,) = place.emulator.notifications
    assert [attempt.status for attempt in notification.attempts] == [None, None]
    assert "ConnectError" in notification.attempts[0].error


@pytest.mark.parametrize(
    ("method", "closed", "finished"),
    [("alipay.trade.page.pay", False, False), ("alipay.trade.wap.pay", True, True)],
)
def test_triggers_follow_the_product(
    place: Place, method: str, closed: bool, finished: bool
) -> None:
    opened(place, "n-12", method=method, timeout_express="5m")
    place.emulator.advance(300)
    assert [got.text()["trade_status"] for got in place.shop.received] == ["TRADE_CLOSED"] * closed
    place.shop.received.clear()
    opened(place, "n-13", method=method)
    place.emulator.pay("n-13")
    place.emulator.advance(366 * 86400)
    statuses = [got.text()["trade_status"] for got in place.shop.received]
    assert statuses == ["TRADE_SUCCESS"] + ["TRADE_FINISHED"] * finished


def test_triggers_are_switches(place: Place) -> None:
    switches = f"switches/{place.merchant.app_id}"
    changed = place.merchant.control(
        "POST", switches, page={"created": True, "partial_refund": False, "full_refund": False}
    )
    assert changed["page"]["closed"] is False
    opened(place, "n-14")
    place.emulator.pay("n-14")
    refund(place, "n-14", "4.00", "a")
    refund(place, "n-14", "6.00", "b")
    statuses = [got.text()["trade_status"] for got in place.shop.received]
    assert statuses == ["WAIT_BUYER_PAY", "TRADE_SUCCESS"]


def test_a_close_with_its_own_address_is_notified_there(place: Place) -> None:
    place.merchant.open_page("n-15")
    place.merchant.call(
        "alipay.trade.close", {"out_trade_no": "n-15"}, notify_url=place.shop.notify_url
    )
    place.emulator.settle()
    fields = place.shop.received[0].text()
    assert fields["trade_status"] == "TRADE_CLOSED"
    assert fields["gmt_close"] == to_beijing_text(place.clock.now())
    assert "gmt_payment" not in fields


def test_a_newer_app_is_told_the_open_id(place: Place) -> None:
    place.merchant.control("POST", f"switches/{place.merchant.app_id}", buyer_open_id=True)
    opened(place, "n-16")
    place.emulator.pay("n-16")
    fields = place.shop.received[0].text()
    assert "buyer_id" not in fields
    assert len(fields["buyer_open_id"]) == 47


def test_a_manual_clock_pushed_by_somebody_else_is_noticed(place: Place) -> None:
    place.shop.answer = lambda _: Response(b"fail")
    opened(place, "n-17")
    place.emulator.pay("n-17")
    place.clock.advance(240)
    deadline = time.monotonic() + 10
    while len(place.shop.received) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(place.shop.received) == 2
