"""Agreements: signing, the deduct window, limits, ends, and what is told of them."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest

from daozhang.clock import business_day, to_beijing_text
from daozhang.emulator.agreements import PeriodRule
from daozhang.emulator.ledger import Declined, TradeStatus
from daozhang.money import Money
from emulator.place import Place, told
from emulator.test_cashier import Page, pay
from emulator.test_rest import call

SIGN = "alipay.user.agreement.page.sign"
QUERY = "alipay.user.agreement.query"
UNSIGN = "alipay.user.agreement.unsign"
MODIFY = "alipay.user.agreement.executionplan.modify"
DAY_SECONDS = 86400
RULE = {"period_type": "MONTH", "period": 1, "execute_time": "2026-03-12", "single_amount": "30.00"}


def day(place: Place, ahead: int) -> str:
    """A day in Beijing, so many days from now."""
    return (business_day(place.clock.now()) + timedelta(days=ahead)).isoformat()


def every_31_days(place: Place, **changes: Any) -> dict[str, Any]:
    """A rule whose first day is ten days away."""
    rule = {"period_type": "DAY", "period": 31, "single_amount": "30.00"}
    return {**rule, "execute_time": day(place, 10), **changes}


def terms(number: str, **changes: Any) -> dict[str, Any]:
    return {
        "external_agreement_no": number,
        "personal_product_code": "CYCLE_PAY_AUTH_P",
        "product_code": "CYCLE_PAY_AUTH",
        "sign_scene": "INDUSTRY|DIGITAL_MEDIA",
        "external_logon_id": "li@example.com",
        "access_params": {"channel": "QRCODE"},
        "period_rule_params": RULE,
        **changes,
    }


def sign_page(place: Place, number: str, **changes: Any) -> httpx2.Response:
    public = {"notify_url": place.shop.notify_url, "return_url": "http://shop.test/back?a=1"}
    parameters = place.merchant.parameters(SIGN, terms(number, **changes), **public)
    address = "/gateway.do?" + urlencode(place.merchant.signed(parameters))
    return place.http.get(address, follow_redirects=True)


def agree(place: Place, page: httpx2.Response) -> httpx2.Response:
    return place.http.post(Page(page).one("form", id="agree")["action"], follow_redirects=True)


def signed(place: Place, number: str, **changes: Any) -> str:
    """The number that Alipay gives an agreement that is signed now."""
    rule = {"period_rule_params": every_31_days(place)}
    agree(place, sign_page(place, number, **rule | changes))
    return query(place, number)["agreement_no"]


def query(place: Place, number: str) -> dict[str, Any]:
    own = ("external_agreement_no", "personal_product_code", "sign_scene")
    return place.merchant.call(QUERY, {name: terms(number)[name] for name in own})


def deduct(place: Place, agreement_no: str, number: str, amount: str = "30.00") -> dict[str, Any]:
    content = {
        "out_trade_no": number,
        "total_amount": amount,
        "subject": "会员月费",
        "product_code": "CYCLE_PAY_AUTH",
        "agreement_params": {"agreement_no": agreement_no},
    }
    return place.merchant.call("alipay.trade.pay", content, notify_url=place.shop.notify_url)


def days(place: Place, count: float) -> None:
    place.emulator.advance(count * DAY_SECONDS)


# ---- signing


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("每 1 个月扣款一次", "首次扣款日 2026-03-12", "每次不超过 ¥30.00", "拒绝")),
        ("en", ("Every month", "First on 2026-03-12", "At most ¥30.00 each time", "Refuse")),
    ],
)
def test_the_page_says_what_is_signed(place: Place, language: str, words: tuple[str, ...]) -> None:
    place.http.headers["Accept-Language"] = language
    page = sign_page(place, "a-1")
    del place.http.headers["Accept-Language"]
    assert page.status_code == 200
    for word in (*words, "a-1", "li@example.com", place.merchant.credentials["seller_id"]):
        assert word in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]


def test_a_buyer_agrees_and_the_shop_is_told(place: Place) -> None:
    done = agree(place, sign_page(place, "a-2"))
    address = urlsplit(Page(done).one("a", id="return-link")["href"])
    back = dict(parse_qsl(address.query, strict_parsing=True))
    assert (back.pop("a"), back["status"]) == ("1", "NORMAL")
    sign, _ = back.pop("sign"), back.pop("sign_type")
    text = "&".join(f"{name}={back[name]}" for name in sorted(back))
    assert place.merchant.alipay_signed(text.encode(), sign)

    (notice,) = told(place)
    assert notice["notify_type"] == "dut_user_sign"
    assert notice["status"] == "NORMAL"
    assert notice["external_agreement_no"] == "a-2"
    assert notice["invalid_time"] == "2115-02-01 00:00:00"
    assert "seller_id" not in notice
    found = query(place, "a-2")
    assert found["agreement_no"] == notice["agreement_no"] == back["agreement_no"]
    assert found["status"] == "NORMAL"
    assert "last_deduct_time" not in found


def test_a_buyer_refuses_and_nothing_was_signed(place: Place) -> None:
    page = sign_page(place, "a-3")
    refused = place.http.post(Page(page).one("button", id="refuse")["formaction"])
    assert refused.status_code == 200
    assert query(place, "a-3")["sub_code"] == "USER_AGREEMENT_NOT_EXIST"
    assert told(place) == []
    agree(place, page)
    assert query(place, "a-3")["status"] == "NORMAL"


def test_a_page_is_signed_once_and_shows_so(place: Place) -> None:
    page = sign_page(place, "a-4")
    agree(place, page)
    assert 'id="return-link"' in place.http.get(str(page.url), follow_redirects=True).text
    assert "AGREEMENT_EXIST" in sign_page(place, "a-4").text
    assert len(place.emulator.agreements) == 1


def test_a_page_lives_as_long_as_it_says(place: Place) -> None:
    page = sign_page(place, "a-5", effect_time="60")
    place.emulator.advance(61)
    assert "ILLEGAL_PARAMS" in agree(place, page).text
    assert place.emulator.agreements == []


@pytest.mark.parametrize(
    "changes",
    [
        {"period_rule_params": None},
        {"period_rule_params": RULE | {"period_type": "WEEK"}},
        {"period_rule_params": RULE | {"period_type": "DAY", "period": 6}},
        {"period_rule_params": RULE | {"execute_time": "2026-03-29"}},
        {"period_rule_params": RULE | {"execute_time": "soon"}},
        {"period_rule_params": RULE | {"single_amount": "0"}},
        {"period_rule_params": RULE | {"total_payments": 0}},
        {"access_params": {}},
        {"personal_product_code": ""},
        {"effect_time": "86401"},
        {"sign_validity_period": "1y"},
    ],
)
def test_what_alipay_would_not_let_anybody_sign(place: Place, changes: dict[str, Any]) -> None:
    page = sign_page(place, "a-6", **changes)
    assert "PARAMETER" in Page(page).one("code", id="code") or "PARAMETER" in page.text
    assert place.emulator.agreements == []


def test_the_buyer_is_played_by_control_and_by_name(place: Place) -> None:
    with pytest.raises(Declined):
        place.emulator.agree("a-7")
    sign_page(place, "a-7")
    assert place.merchant.control("POST", "agreements/a-7", action="sign")["status"] == "NORMAL"
    sign_page(place, "a-8")
    place.emulator.agree("a-8")
    place.emulator.agree("a-8", "stop")
    assert query(place, "a-8")["status"] == "STOP"
    place.emulator.agree("a-8", "resume")
    place.emulator.agree("a-8", "unsign")
    shown = place.merchant.control("GET", "agreements")["agreements"]
    assert [(one["external_agreement_no"], one["status"]) for one in shown] == [
        ("a-7", "NORMAL"),
        ("a-8", "UNSIGN"),
    ]
    assert [notice["notify_type"] for notice in told(place)] == [
        "dut_user_sign",
        "dut_user_sign",
        "dut_user_unsign",
    ]


# ---- paying and signing in one


def test_paying_signs_as_well_and_both_are_told(place: Place) -> None:
    wanted = terms("a-9", sign_notify_url=f"{place.shop.notify_url}?sign")
    page = place.merchant.open_page(
        "p-9", notify_url=place.shop.notify_url, agreement_sign_params=wanted
    )
    assert place.emulator.agreements == []
    pay(place, page)
    kinds = {notice["notify_type"]: notice for notice in told(place)}
    assert set(kinds) == {"trade_status_sync", "dut_user_sign"}
    assert kinds["dut_user_sign"]["alipay_user_id"] == kinds["trade_status_sync"]["buyer_id"]
    assert query(place, "a-9")["status"] == "NORMAL"


def test_an_app_pays_and_signs(place: Place) -> None:
    content = {
        "out_trade_no": "p-10",
        "total_amount": "1.00",
        "subject": "首月",
        "agreement_sign_params": terms("a-10"),
    }
    parameters = place.merchant.parameters("alipay.trade.app.pay", content)
    place.merchant.control("POST", "pay", order_string=urlencode(place.merchant.signed(parameters)))
    assert query(place, "a-10")["status"] == "NORMAL"


# ---- deducting


def test_a_deduction_in_its_window_moves_the_plan_by_one_period(place: Place) -> None:
    number = signed(place, "d-1")
    place.shop.received.clear()
    assert deduct(place, number, "x-0")["sub_code"] == "ACQ.CYCLE_PAY_DATE_NOT_MATCH"
    planned, following = day(place, 10), day(place, 41)
    assert query(place, "d-1")["next_deduct_time"] == planned
    days(place, 5)
    paid = deduct(place, number, "x-1")
    assert (paid["code"], paid["total_amount"]) == ("10000", "30.00")
    assert query(place, "d-1")["next_deduct_time"] == following
    assert query(place, "d-1")["last_deduct_time"] == day(place, 0)
    (notice,) = told(place)
    assert (notice["out_trade_no"], notice["trade_status"]) == ("x-1", "TRADE_SUCCESS")
    assert deduct(place, number, "x-1")["sub_code"] == "ACQ.TRADE_HAS_SUCCESS"
    assert deduct(place, number, "x-2")["sub_code"] == "ACQ.CYCLE_PAY_DATE_NOT_MATCH"


def test_a_narrower_window_is_a_switch(place: Place) -> None:
    place.merchant.control("POST", f"switches/{place.merchant.app_id}", deduct_window_days=3)
    number = signed(place, "d-2")
    days(place, 6)
    assert deduct(place, number, "x-1")["sub_code"] == "ACQ.CYCLE_PAY_DATE_NOT_MATCH"
    days(place, 1)
    assert deduct(place, number, "x-2")["code"] == "10000"


def test_a_period_without_a_deduction_is_over_after_its_day(place: Place) -> None:
    number = signed(place, "d-3")
    following = day(place, 41)
    days(place, 10)  # the planned day itself
    place.merchant.control("POST", "faults", name="buyer_balance_not_enough", times=1)
    assert deduct(place, number, "x-1")["sub_code"] == "ACQ.BUYER_BALANCE_NOT_ENOUGH"
    days(place, 1)
    assert query(place, "d-3")["next_deduct_time"] == following
    assert deduct(place, number, "x-2")["sub_code"] == "ACQ.CYCLE_PAY_DATE_NOT_MATCH"


def test_a_buyer_without_money_leaves_a_trade_that_waits(place: Place) -> None:
    number = signed(place, "d-4")
    days(place, 6)
    place.merchant.control("POST", "faults", name="buyer_balance_not_enough", times=1)
    assert deduct(place, number, "x-1")["sub_code"] == "ACQ.BUYER_BALANCE_NOT_ENOUGH"
    assert place.emulator.trade("x-1").status is TradeStatus.WAIT_BUYER_PAY
    assert place.merchant.call("alipay.trade.close", {"out_trade_no": "x-1"})["code"] == "10000"
    assert deduct(place, number, "x-1")["sub_code"] == "ACQ.TRADE_HAS_CLOSE"
    assert deduct(place, number, "x-2")["code"] == "10000"


@pytest.mark.parametrize(
    ("rule", "amounts", "codes"),
    [
        ({}, ["30.01"], ["ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED"]),
        ({"total_amount": "50.00"}, ["30.00", "20.01"], [None, "ACQ.CYCLE_PAY_TOTAL_FEE_EXCEED"]),
        ({"total_payments": 1}, ["1.00", "1.00"], [None, "ACQ.CYCLE_PAY_TOTAL_TIMES_EXCEED"]),
        ({}, ["1.00", "1.00", "1.00"], [None, None, None]),
    ],
)
def test_what_was_signed_bounds_what_is_deducted(
    place: Place, rule: dict[str, Any], amounts: list[str], codes: list[str | None]
) -> None:
    number = signed(place, "d-5", period_rule_params=every_31_days(place, **rule))
    days(place, 10)
    answers: list[str | None] = []
    for at, amount in enumerate(amounts):
        answers.append(deduct(place, number, f"x-{at}", amount).get("sub_code"))
        days(place, 31)
    assert answers == codes


def test_withholding_has_no_plan(place: Place) -> None:
    loose = {"personal_product_code": "GENERAL_WITHHOLDING_P", "period_rule_params": None}
    page = sign_page(place, "d-6", **loose, product_code="GENERAL_WITHHOLDING")
    agree(place, page)
    number = place.emulator.agreements[0].agreement_no
    for at in range(3):
        assert deduct(place, number, f"x-{at}", "88.88")["code"] == "10000"
    modified = place.merchant.call(MODIFY, {"agreement_no": number, "deduct_time": "2026-05-01"})
    assert modified["sub_code"] == "ILLEGAL_AGREEMENT"


def test_another_sellers_agreement_is_none(place: Place) -> None:
    number = signed(place, "d-7")
    other = place.emulator.credentials("other")
    stranger = type(place.merchant)(other, place.http, place.clock)
    content = {"agreement_params": {"agreement_no": number}, "out_trade_no": "x", "subject": "s"}
    refused = stranger.call("alipay.trade.pay", content | {"total_amount": "1.00"})
    assert refused["sub_code"] == "ACQ.AGREEMENT_NOT_EXIST"
    assert stranger.call(QUERY, {"agreement_no": number})["sub_code"] == "USER_AGREEMENT_NOT_EXIST"


# ---- ends and changes


def test_the_api_ends_it_and_its_own_address_is_told(place: Place) -> None:
    number = signed(place, "e-1")
    place.shop.received.clear()
    ended = place.merchant.call(
        UNSIGN, {"agreement_no": number}, notify_url=f"{place.shop.notify_url}?own"
    )
    assert ended == {"code": "10000", "msg": "Success"}
    (notice,) = told(place)
    assert (notice["notify_type"], notice["status"]) == ("dut_user_unsign", "UNSIGN")
    assert notice["unsign_time"] == to_beijing_text(place.clock.now())
    assert query(place, "e-1")["sub_code"] == "AGREEMENT_HAS_UNSIGNED"
    again = place.merchant.call(UNSIGN, {"agreement_no": number})
    assert again["sub_code"] == "AGREEMENT_NOT_EXIST"
    days(place, 10)
    assert deduct(place, number, "x-1")["sub_code"] == "ACQ.AGREEMENT_NOT_EXIST"


def test_validity_runs_out_without_a_word(place: Place) -> None:
    number = signed(place, "e-2", sign_validity_period="8d")
    place.shop.received.clear()
    days(place, 9)
    assert query(place, "e-2")["sub_code"] == "USER_AGREEMENT_NOT_EXIST"
    assert deduct(place, number, "x-1")["sub_code"] == "ACQ.AGREEMENT_NOT_EXIST"
    assert told(place) == []
    assert "AGREEMENT_EXIST" not in sign_page(place, "e-2").text


def test_a_stopped_one_is_not_deducted(place: Place) -> None:
    number = signed(place, "e-3")
    days(place, 6)
    place.emulator.agree("e-3", "stop")
    assert deduct(place, number, "x-1")["sub_code"] == "ACQ.AGREEMENT_STATUS_NOT_NORMAL"
    place.emulator.agree("e-3", "resume")
    assert deduct(place, number, "x-1")["code"] == "10000"


@pytest.mark.parametrize(
    ("ahead", "code"),
    [(20, None), (10, "ILLEGAL_EXECUTION_TIME"), (9, "ILLEGAL_EXECUTION_TIME")],
)
def test_the_plan_moves_to_a_later_day_only(place: Place, ahead: int, code: str | None) -> None:
    number = signed(place, "e-4")
    wanted, planned = day(place, ahead), day(place, 10)
    answer = place.merchant.call(MODIFY, {"agreement_no": number, "deduct_time": wanted})
    assert answer.get("sub_code") == code
    assert query(place, "e-4")["next_deduct_time"] == (planned if code else wanted)
    days(place, 10 if code else 20)
    assert deduct(place, number, "x-1")["code"] == "10000"


@pytest.mark.parametrize("wanted", ["soon", "2026-13-01", "2026-3-1"])
def test_a_plan_needs_a_day(place: Place, wanted: str) -> None:
    number = signed(place, "e-5")
    answer = place.merchant.call(MODIFY, {"agreement_no": number, "deduct_time": wanted})
    assert answer["sub_code"] == "ILLEGAL_EXECUTION_TIME"


def test_months_keep_their_day_over_the_turn_of_the_year() -> None:
    rule = PeriodRule("MONTH", 1, date(2026, 11, 28), Money(3000))
    months = [rule.first_on]
    for _ in range(4):
        months.append(rule.after(months[-1]))
    assert [str(month) for month in months] == [
        "2026-11-28", "2026-12-28", "2027-01-28", "2027-02-28", "2027-03-28",
    ]  # fmt: skip
    quarterly = PeriodRule("MONTH", 3, date(2026, 11, 1), Money(1))
    assert quarterly.after(quarterly.first_on) == date(2027, 2, 1)
    assert PeriodRule("DAY", 7, date(2026, 12, 28), Money(1)).after(date(2026, 12, 28)) == date(
        2027, 1, 4
    )


def test_by_months_a_plan_stays_on_the_first_28_days(place: Place) -> None:
    first = date(business_day(place.clock.now()).year + 1, 3, 1)
    rule = RULE | {"execute_time": first.replace(day=5).isoformat()}
    number = signed(place, "e-6", period_rule_params=rule)
    for wanted, code in ((29, "ILLEGAL_EXECUTION_TIME"), (28, None)):
        content = {"agreement_no": number, "deduct_time": first.replace(day=wanted).isoformat()}
        assert place.merchant.call(MODIFY, content).get("sub_code") == code


def test_notifications_are_lost_and_repeated_as_all_others(place: Place) -> None:
    place.emulator.set_fault("notify_never", out_trade_no="f-1")
    place.emulator.set_fault("notify_twice", out_trade_no="f-2")
    signed(place, "f-1")
    signed(place, "f-2")
    assert [notice["external_agreement_no"] for notice in told(place)] == ["f-2", "f-2"]


def test_v3_asks_ends_moves_and_deducts(place: Place) -> None:
    number = signed(place, "g-1")
    path = f"/v3/alipay/user/agreement/query?agreement_no={number}"
    asked = call(place, b"", path, verb="GET")
    assert (asked.status_code, asked.json()["status"]) == (200, "NORMAL")
    assert call(place, {}, "/v3/alipay/user/agreement/query").status_code == 400
    moved = call(
        place,
        {"agreement_no": number, "deduct_time": day(place, 14)},
        "/v3/alipay/user/agreement/executionplan/modify",
    )
    assert moved.json() == {"agreement_no": number, "deduct_time": day(place, 14)}
    days(place, 9)
    content = {
        "out_trade_no": "x-1",
        "total_amount": "30.00",
        "subject": "s",
        "agreement_params": {"agreement_no": number},
    }
    paid = call(place, json.dumps(content).encode(), "/v3/alipay/trade/pay")
    assert paid.json()["gmt_payment"] == to_beijing_text(place.clock.now())
    ended = call(place, {"agreement_no": number}, "/v3/alipay/user/agreement/unsign")
    assert (ended.status_code, ended.json()) == (200, {})
