"""Holds: freezing, letting go, payments out of one, ends, and what is told of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import pytest

from daozhang.emulator.ledger import Declined, TradeStatus
from daozhang.money import Money
from emulator.place import Place, told
from emulator.test_cashier import Page
from emulator.test_rest import call

FREEZE = "alipay.fund.auth.order.freeze"
VOUCHER = "alipay.fund.auth.order.voucher.create"
APP = "alipay.fund.auth.order.app.freeze"
UNFREEZE = "alipay.fund.auth.order.unfreeze"
QUERY = "alipay.fund.auth.operation.detail.query"
CANCEL = "alipay.fund.auth.operation.cancel"
V3_QUERY = "/v3/alipay/fund/auth/operation/detail/query"
DAY_SECONDS = 86400


def terms(number: str, **changes: Any) -> dict[str, Any]:
    return {
        "out_order_no": number,
        "out_request_no": f"{number}-f",
        "order_title": "酒店押金",
        "amount": "500.00",
        "product_code": "PRE_AUTH",
        **changes,
    }


def ask(place: Place, method: str, content: dict[str, Any]) -> dict[str, Any]:
    return place.merchant.call(method, content, notify_url=place.shop.notify_url)


def freeze(place: Place, number: str, behaviour: str = "pays", **changes: Any) -> dict[str, Any]:
    code = {"auth_code": place.emulator.payment_code(behaviour), "auth_code_type": "bar_code"}
    return ask(place, FREEZE, terms(number, **code | changes))


def unfreeze(place: Place, auth_no: str, number: str, amount: str) -> dict[str, Any]:
    content = {"auth_no": auth_no, "out_request_no": number, "amount": amount, "remark": "退房"}
    return ask(place, UNFREEZE, content)


def query(place: Place, number: str, request: str = "", **more: str) -> dict[str, Any]:
    content = {"out_order_no": number, "out_request_no": request or f"{number}-f"}
    return place.merchant.call(QUERY, content | more)


def cancel(place: Place, number: str) -> dict[str, Any]:
    content = {"out_order_no": number, "out_request_no": f"{number}-f", "remark": "撤销"}
    return ask(place, CANCEL, content)


def capture(
    place: Place, auth_no: str, number: str, amount: str, mode: str = "NOT_COMPLETE", **more: str
) -> dict[str, Any]:
    content = {
        "out_trade_no": number,
        "total_amount": amount,
        "subject": "房费",
        "product_code": "PRE_AUTH",
        "auth_no": auth_no,
        "auth_confirm_mode": mode,
        **more,
    }
    return ask(place, "alipay.trade.pay", content)


def sums(place: Place, number: str) -> tuple[str, ...]:
    found = query(place, number)
    names = ("order_status", "total_freeze_amount", "total_pay_amount", "rest_amount")
    return tuple(found[name] for name in names)


# ---- freezing


def test_a_code_freezes_at_once_and_the_shop_is_told(place: Place) -> None:
    node = freeze(place, "h-1")

    assert (node["code"], node["status"], node["amount"]) == ("10000", "SUCCESS", "500.00")
    (notice,) = told(place)
    assert notice["notify_type"] == "fund_auth_freeze"
    assert notice["auth_no"] == node["auth_no"]
    assert (notice["operation_type"], notice["status"]) == ("FREEZE", "SUCCESS")
    assert (notice["rest_amount"], notice["total_unfreeze_amount"]) == ("500.00", "0.00")
    assert "seller_id" not in notice
    assert sums(place, "h-1") == ("AUTHORIZED", "500.00", "0.00", "500.00")


def test_the_same_freeze_again_is_the_same_and_another_is_refused(place: Place) -> None:
    first = freeze(place, "h-2")
    again = freeze(place, "h-2")
    assert (again["auth_no"], again["operation_id"]) == (first["auth_no"], first["operation_id"])
    assert freeze(place, "h-2", amount="501.00")["sub_code"] == "UNIQUE_VIOLATION"
    assert len(told(place)) == 1


def test_a_phone_is_asked_to_confirm(place: Place) -> None:
    node = freeze(place, "h-3", "asks")
    assert node["status"] == "INIT"
    assert "payer_user_id" not in node
    assert sums(place, "h-3")[0] == "INIT"
    assert capture(place, node["auth_no"], "t-3", "1.00")["sub_code"] == "ACQ.AUTH_ORDER_NOT_PAID"

    place.emulator.play_hold("h-3")

    assert query(place, "h-3")["status"] == "SUCCESS"
    assert [n["notify_type"] for n in told(place)] == ["fund_auth_freeze"]


@pytest.mark.parametrize(
    ("behaviour", "changes", "expected"),
    [
        ("dies", {}, "MONEY_NOT_ENOUGH"),
        ("declines", {}, "MONEY_NOT_ENOUGH"),
        ("pays", {"auth_code": "280000000000000000"}, "PAYMENT_AUTH_CODE_INVALID"),
        ("pays", {"amount": "0"}, "ILLEGAL_ARGUMENT"),
        ("pays", {"auth_code_type": "x"}, "ILLEGAL_ARGUMENT"),
        ("pays", {"product_code": "FACE_TO_FACE_PAYMENT"}, "ILLEGAL_ARGUMENT"),
        ("pays", {"pay_timeout": "16d"}, "ILLEGAL_ARGUMENT"),
        ("pays", {"order_title": ""}, "ILLEGAL_ARGUMENT"),
    ],
)
def test_a_freeze_is_refused(
    place: Place, behaviour: str, changes: dict[str, Any], expected: str
) -> None:
    assert freeze(place, "h-4", behaviour, **changes)["sub_code"] == expected
    there = query(place, "h-4").get("order_status")
    assert there == ("INIT" if behaviour == "declines" else None)


def test_nobody_confirmed_in_time(place: Place) -> None:
    freeze(place, "h-5", "asks", pay_timeout="2m")
    place.emulator.advance(121)
    assert sums(place, "h-5")[0] == "CLOSED"
    assert freeze(place, "h-5")["sub_code"] == "ORDER_ALREADY_CLOSED"
    assert told(place) == []


def test_a_scanned_code_opens_a_page_that_freezes(place: Place) -> None:
    node = ask(place, VOUCHER, terms("h-6"))
    assert node["code_type"] == "qrCode"
    assert query(place, "h-6")["sub_code"] == "AUTH_ORDER_NOT_EXIST"

    path = urlsplit(node["code_value"]).path
    page = place.http.get(path, headers={"Accept-Language": "zh"})
    for word in ("酒店押金", "500.00", "h-6", "同意并冻结", "拒绝"):
        assert word in page.text
    assert sums(place, "h-6")[0] == "INIT"
    refuse = Page(page).one("button", id="refuse")["formaction"]
    assert "没有冻结" in place.http.post(refuse, headers={"Accept-Language": "zh"}).text
    agreed: httpx2.Response = place.http.post(
        Page(page).one("form", id="agree")["action"], follow_redirects=True
    )
    assert 'id="frozen"' in agreed.text
    assert sums(place, "h-6")[0] == "AUTHORIZED"
    assert [n["notify_type"] for n in told(place)] == ["fund_auth_freeze"]
    assert "PAGE_NOT_FOUND" in place.http.get("/freeze/unknown").text


def test_an_app_freezes_by_its_order_string(place: Place) -> None:
    public = {"notify_url": place.shop.notify_url}
    wanted = terms("h-7", product_code="PREAUTH_PAY")
    order = urlencode(place.merchant.signed(place.merchant.parameters(APP, wanted, **public)))

    hold = place.emulator.freeze_in_app(order)

    assert (hold.number, hold.rest) == ("h-7", Money(50000))
    assert [n["notify_type"] for n in told(place)] == ["fund_auth_freeze"]
    assert "order string" in ask(place, APP, wanted)["sub_msg"]
    assert place.http.post("/_control/freeze", json={"order_string": "a=1"}).status_code == 409


# ---- letting go, and taking


def test_what_is_let_go_is_let_go_once(place: Place) -> None:
    auth_no = freeze(place, "h-8")["auth_no"]
    first = unfreeze(place, auth_no, "u-1", "120.00")
    again = unfreeze(place, auth_no, "u-1", "120.00")
    assert (first["status"], first["operation_id"]) == ("SUCCESS", again["operation_id"])
    assert unfreeze(place, auth_no, "u-1", "119.00")["sub_code"] == "UNIQUE_VIOLATION"
    assert unfreeze(place, auth_no, "u-2", "380.01")["sub_code"] == "REQUEST_AMOUNT_EXCEED"
    assert query(place, "h-8", "u-1")["operation_type"] == "UNFREEZE"
    assert query(place, "h-8", "u-2")["sub_code"] == "AUTH_OPERATION_NOT_EXIST"
    notice = told(place)[-1]
    assert (notice["notify_type"], notice["rest_amount"]) == ("fund_auth_unfreeze", "380.00")
    unfreeze(place, auth_no, "u-3", "380.00")
    assert sums(place, "h-8") == ("FINISH", "500.00", "0.00", "0.00")
    assert unfreeze(place, auth_no, "u-4", "1.00")["sub_code"] == "ORDER_ALREADY_FINISH"
    assert unfreeze(place, "2000", "u-5", "1.00")["sub_code"] == "AUTH_ORDER_NOT_EXIST"


def test_payments_come_out_of_a_hold_until_the_last_lets_the_rest_go(place: Place) -> None:
    auth_no = freeze(place, "h-9")["auth_no"]
    paid = capture(place, auth_no, "t-1", "200.00")
    assert (paid["code"], paid["total_amount"]) == ("10000", "200.00")
    assert capture(place, auth_no, "t-1", "200.00")["sub_code"] == "ACQ.TRADE_HAS_SUCCESS"
    assert capture(place, auth_no, "t-2", "300.01")["sub_code"] == "ACQ.AUTH_AMOUNT_NOT_ENOUGH"
    other = capture(place, auth_no, "t-3", "1.00", product_code="PREAUTH_PAY")
    assert other["sub_code"] == "ACQ.PRE_AUTH_PROD_CODE_INCONSISTENT"
    assert capture(place, "2000", "t-4", "1.00")["sub_code"] == "ACQ.AUTH_NO_ERROR"
    with pytest.raises(Declined):
        place.emulator.trade("t-2")
    assert sums(place, "h-9") == ("AUTHORIZED", "500.00", "200.00", "300.00")

    capture(place, auth_no, "t-5", "100.00", "COMPLETE")

    assert sums(place, "h-9") == ("FINISH", "500.00", "300.00", "0.00")
    assert capture(place, auth_no, "t-6", "1.00")["sub_code"] == "ACQ.AUTH_ORDER_HAS_FINISHED"
    kinds = [n["notify_type"] for n in told(place)]
    assert kinds == [
        "fund_auth_freeze", "trade_status_sync", "trade_status_sync", "fund_auth_unfreeze",
    ]  # fmt: skip
    # A refund goes to the payer, not back into the hold.
    place.emulator.refund("t-1")
    assert sums(place, "h-9")[2:] == ("300.00", "0.00")


def test_a_freeze_that_nobody_wants_any_more_is_undone(place: Place) -> None:
    freeze(place, "h-10", "asks")
    assert cancel(place, "h-10")["action"] == "close"
    frozen = freeze(place, "h-11")
    assert cancel(place, "h-11")["action"] == "unfreeze"
    assert cancel(place, "h-11")["action"] == "unfreeze"
    assert sums(place, "h-11") == ("CLOSED", "0.00", "0.00", "0.00")
    assert capture(place, frozen["auth_no"], "t-7", "1.00")["sub_code"] == (
        "ACQ.AUTH_ORDER_HAS_CLOSED"
    )
    assert cancel(place, "h-12")["sub_code"] == "AUTH_ORDER_NOT_EXIST"
    used = freeze(place, "h-13")
    capture(place, used["auth_no"], "t-8", "1.00")
    assert cancel(place, "h-13")["sub_code"] == "REQUEST_AMOUNT_EXCEED"
    old = freeze(place, "h-14")
    place.emulator.advance(DAY_SECONDS + 1)
    assert cancel(place, "h-14")["sub_code"] == "CANCEL_OPERATION_TIME_OUT"
    unfreeze(place, old["auth_no"], "u-6", "500.00")
    assert cancel(place, "h-14")["sub_code"] == "ORDER_ALREADY_FINISH"
    kinds = [n["notify_type"] for n in told(place)]
    assert kinds.count("fund_auth_operation_cancel") == 2


def test_a_hold_that_is_too_old_is_let_go(place: Place) -> None:
    place.merchant.control(
        "POST", f"switches/{place.merchant.app_id}", hold_days=30, hold_rest_notified=False
    )
    freeze(place, "h-15")
    place.emulator.advance(30 * DAY_SECONDS)
    assert sums(place, "h-15") == ("FINISH", "500.00", "0.00", "0.00")
    assert [n["notify_type"] for n in told(place)] == ["fund_auth_freeze"]


def test_a_code_may_make_its_hold_at_once(place: Place) -> None:
    place.merchant.control("POST", f"switches/{place.merchant.app_id}", voucher_opens_hold=True)
    ask(place, VOUCHER, terms("h-16"))
    assert sums(place, "h-16")[0] == "INIT"


# ---- around them


def test_faults_strike_by_the_number_of_the_hold(place: Place) -> None:
    place.emulator.set_fault("gateway_20000", out_trade_no="h-17", times=1)
    place.emulator.set_fault("notify_twice", out_trade_no="h-17", times=1)
    assert freeze(place, "h-17")["code"] == "20000"
    assert query(place, "h-17")["sub_code"] == "AUTH_ORDER_NOT_EXIST"
    assert freeze(place, "h-17")["status"] == "SUCCESS"
    assert len(told(place)) == 2


def test_the_control_plane_plays_both_sides(place: Place) -> None:
    freeze(place, "h-18", "asks")
    looked = place.http.post("/_control/holds/h-18", json={"action": "refuse"}).json()
    assert (looked["status"], looked["is_open"]) == ("INIT", True)
    confirmed = place.http.post("/_control/holds/h-18", json={"action": "confirm"}).json()
    assert confirmed["rest_amount"] == "500.00"
    body = {"action": "release", "amount": "80.00"}
    assert place.http.post("/_control/holds/h-18", json=body).json()["released_amount"] == "80.00"
    (shown,) = place.http.get("/_control/holds").json()["holds"]
    assert (shown["out_order_no"], shown["rest_amount"]) == ("h-18", "420.00")
    bad = place.http.post("/_control/holds/h-18", json=body | {"amount": "x"})
    assert bad.status_code == 400
    assert place.http.post("/_control/holds/none", json={"action": "confirm"}).status_code == 409
    place.emulator.reset()
    assert place.emulator.holds == []


def test_v3_speaks_of_holds_too(place: Place) -> None:
    auth_no = freeze(place, "h-19")["auth_no"]
    body = {"auth_no": auth_no, "out_request_no": "h-19-f"}
    answer = call(place, body, V3_QUERY)
    assert answer.status_code == 200
    assert answer.json()["order_status"] == "AUTHORIZED"
    capture(place, auth_no, "t-9", "500.00")
    assert place.emulator.trade("t-9").status is TradeStatus.TRADE_SUCCESS
    assert sums(place, "h-19")[0] == "FINISH"
    none = call(place, {}, V3_QUERY)
    assert none.status_code == 400
