"""Agreements: a buyer signs once and is charged each period, once, whatever the weather."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx2
import pytest

from agreeing import (
    charged,
    create,
    number_of,
    open_page,
    read,
    signed,
    to_the_try,
    today,
    told,
    tries,
)
from daozhang.emulator.ledger import Declined
from daozhang.service.audit.model import SYSTEM
from daozhang.service.merchants.outgoing import turn_outgoing
from worlds import World

UNSIGN = "alipay.user.agreement.unsign"
MODIFY = "alipay.user.agreement.executionplan.modify"
PAY = "alipay.trade.pay"
DAY_SECONDS = 86400
PRICE = "30.00"


@pytest.fixture
def world(shared_world: World) -> World:
    """Each test has agreements of its own."""
    return shared_world


# ---- signed, and charged each period


def test_a_buyer_signs_once_and_is_charged_each_period(world: World) -> None:
    number = signed(world)
    shown = read(world, number)
    planned = today(world) + timedelta(days=10)
    assert shown["agreement_no"]
    assert shown["buyer_id"].startswith("2088")
    assert shown["next_deduct_on"] == planned.isoformat()
    assert shown["window_from"] == (planned - timedelta(days=5)).isoformat()
    assert shown["next_try_at"] == f"{planned - timedelta(days=1)}T00:00:00Z"  # 8 in Beijing
    assert shown["sign_url"] is None
    assert told(world, number) == ["agreement.signed"]

    world.advance(8 * DAY_SECONDS)
    assert tries(world, number) == []
    world.advance(2 * DAY_SECONDS)
    assert tries(world, number) == [(number_of(number), "paid")]
    order = world.read(number_of(number))
    assert (order["status"], order["way"], order["amount"]) == ("paid", "agreement", PRICE)
    assert world.events(number_of(number)) == ["order.paid"]
    assert read(world, number)["next_deduct_on"] == (planned + timedelta(days=7)).isoformat()

    world.advance(7 * DAY_SECONDS)

    assert charged(world, number) == [number_of(number), number_of(number, period=2)]
    assert told(world, number) == ["agreement.signed"]


def test_without_a_plan_it_is_told_when_and_the_merchant_charges(world: World) -> None:
    number = signed(world, plan=False)
    early = {"out_trade_no": f"{number}-x", "amount": PRICE, "subject": "Membership"}

    def refused(**changes: Any) -> str:
        answer = world.api.post(f"/v1/agreements/{number}/deductions", json=early | changes)
        assert answer.status_code == 409, answer.text
        assert answer.json()["detail_zh"]
        return answer.json()["code"]

    assert refused() == "deduction_out_of_rule"  # the window is not open
    world.advance(6 * DAY_SECONDS)
    assert told(world, number) == ["agreement.signed", "agreement.due"]
    assert refused(amount="30.01") == "deduction_out_of_rule"
    answer = world.api.post(f"/v1/agreements/{number}/deductions", json=early)
    assert answer.status_code == 202, answer.text
    world.settle()
    again = world.api.post(f"/v1/agreements/{number}/deductions", json=early).json()
    assert (again["status"], again["order_status"]) == ("paid", "paid")
    assert refused(out_trade_no=f"{number}-y") == "deduction_out_of_rule"  # the next period's
    assert charged(world, number) == [f"{number}-x"]
    world.advance(DAY_SECONDS)
    assert told(world, number) == ["agreement.signed", "agreement.due"]


def test_a_second_number_is_refused_while_the_first_may_live(world: World) -> None:
    number = signed(world, plan=False, ahead=2)
    world.emulator.set_fault("gateway_20000", method=PAY, out_trade_no=f"{number}-x")
    body = {"out_trade_no": f"{number}-x", "amount": PRICE, "subject": "Membership"}
    world.api.post(f"/v1/agreements/{number}/deductions", json=body)
    world.settle()
    other = world.api.post(
        f"/v1/agreements/{number}/deductions", json=body | {"out_trade_no": f"{number}-y"}
    )
    assert other.json()["code"] == "agreement_period_taken"
    world.emulator.clear_faults()
    world.advance(60)  # nothing had arrived: the same number is sent again
    assert charged(world, number) == [f"{number}-x"]
    assert tries(world, number) == [(f"{number}-x", "paid")]


def test_general_withholding_charges_whenever_something_is_due(world: World) -> None:
    number = signed(world, plan=False, product="GENERAL_WITHHOLDING", rule=None)
    for count in (1, 2):
        body = {"out_trade_no": f"{number}-p{count}", "amount": "3.00", "subject": "Parking"}
        assert world.api.post(f"/v1/agreements/{number}/deductions", json=body).status_code == 202
        world.settle()
    assert charged(world, number) == [f"{number}-p1", f"{number}-p2"]


@pytest.mark.parametrize("way", ["page", "wap", "app"])
def test_a_buyer_pays_and_signs_at_once(world: World, way: str) -> None:
    made = create(world, plan=False)
    number = made["external_agreement_no"]
    own = f"{number}-first"
    body = {"out_trade_no": own, "amount": "1.00", "subject": "First month", "way": way}
    order = world.api.post(f"/v1/agreements/{number}/payment", json=body)
    assert order.status_code == 201, order.text
    # The signature may be told before the payment, and either may be lost.
    world.emulator.set_fault("notify_out_of_order", out_trade_no=own, seconds=20)
    if way == "app":
        signed_now = world.api.post(f"/v1/orders/{own}/app_payment").json()["order_string"]
        address = f"{world.emulator.base_url}/_control/pay"
        paid = httpx2.post(
            address, json={"order_string": signed_now}, trust_env=False, verify=False
        )
        assert paid.status_code == 200, paid.text
    else:
        world.pay(own)
    world.settle()
    assert read(world, number)["status"] == "active"
    world.advance(60)
    assert world.read(own)["status"] == "paid"
    assert world.events(own) == ["order.paid"]
    assert told(world, number) == ["agreement.signed"]
    again = world.api.post(
        f"/v1/agreements/{number}/payment", json=body | {"out_trade_no": f"{own}-2"}
    )
    assert again.json()["code"] == "agreement_conflict"
    same = world.api.post(f"/v1/agreements/{number}/payment", json=body)
    assert same.json()["status"] == "paid"


# ---- failed charges


def test_too_little_money_is_tried_again_by_day_under_a_new_number(world: World) -> None:
    number = signed(world, ahead=2)
    first = number_of(number)
    # Refused, and a trade is left that waits: it is closed before another number is used.
    world.emulator.set_fault("buyer_balance_not_enough", out_trade_no=first)
    to_the_try(world, number)
    assert tries(world, number) == [(first, "failed")]
    order = world.read(first)
    assert (order["status"], order["closed_reason"]) == ("closed", "refused")
    assert world.emulator.trade(first).status.value == "TRADE_CLOSED"
    assert told(world, number) == ["agreement.signed", "agreement.deduction_failed"]
    (event,) = [
        e for e in world.events_without_order()
        if e.type == "agreement.deduction_failed"
        and e.data["agreement"]["external_agreement_no"] == number
    ]  # fmt: skip
    assert event.data["deduction"]["code"] == "ACQ.BUYER_BALANCE_NOT_ENOUGH"
    assert event.data["deduction"]["next_try_at"] == read(world, number)["next_try_at"].replace(
        "Z", "+00:00"
    )
    to_the_try(world, number)
    assert tries(world, number)[1] == (number_of(number, 2), "paid")
    assert charged(world, number) == [number_of(number, 2)]


def test_what_fails_until_the_planned_day_is_over_waits_for_the_next_period(world: World) -> None:
    number = signed(world, ahead=2)
    for count in range(1, 12):
        world.emulator.set_fault("buyer_balance_not_enough", out_trade_no=number_of(number, count))
    world.advance(4 * DAY_SECONDS)
    failed = tries(world, number)
    assert 3 <= len(failed) <= 8
    assert {status for _, status in failed} == {"failed"}
    assert charged(world, number) == []
    assert told(world, number).count("agreement.deduction_failed") == len(failed)
    world.emulator.clear_faults()
    world.advance(7 * DAY_SECONDS)
    assert len(charged(world, number)) == 1


@pytest.mark.parametrize("fault", ["gateway_timeout_after_success", "gateway_20000"])
def test_a_charge_of_which_nobody_knows_is_made_once(world: World, fault: str) -> None:
    number = signed(world, ahead=1)
    first = number_of(number)
    world.emulator.set_fault(fault, method=PAY, out_trade_no=first, times=1, seconds=0)
    world.emulator.set_fault("notify_never", out_trade_no=first)
    world.advance(DAY_SECONDS)
    assert charged(world, number) == [first]
    assert tries(world, number) == [(first, "paid")]
    assert world.events(first) == ["order.paid"]


def test_a_pause_of_which_nobody_told_is_learned_before_anything_is_charged(world: World) -> None:
    number = signed(world, ahead=2)
    world.emulator.set_fault("notify_never", out_trade_no=number)
    world.emulator.agree(number, "stop")
    world.advance(1.5 * DAY_SECONDS)
    assert read(world, number)["status"] == "stopped"
    assert charged(world, number) == []
    world.emulator.agree(number, "resume")
    world.advance(DAY_SECONDS)
    assert read(world, number)["status"] == "active"
    assert told(world, number)[-1] == "agreement.resumed"


def test_a_switch_that_stops_money_stops_charges_until_it_is_turned(world: World) -> None:
    number = signed(world, ahead=2)
    context = world.service.context
    with context.database.begin() as tx:
        turn_outgoing(tx, context, 1, allowed=False, reason="night", actor=SYSTEM)
    world.advance(1.5 * DAY_SECONDS)
    assert tries(world, number) == []
    with context.database.begin() as tx:
        turn_outgoing(tx, context, 1, allowed=True, reason="day", actor=SYSTEM)
    world.advance(2 * 3600)
    assert charged(world, number) == [number_of(number)]


# ---- signing and ending


def test_a_signature_of_which_nobody_told_is_learned_by_asking(world: World) -> None:
    made = create(world)
    number = made["external_agreement_no"]
    open_page(world, made)
    world.emulator.set_fault("notify_never", out_trade_no=number)
    world.emulator.agree(number)
    world.settle()
    assert read(world, number)["status"] == "created"
    world.advance(60)
    assert read(world, number)["status"] == "active"
    assert told(world, number) == ["agreement.signed"]


def test_a_signature_that_is_told_twice_and_late_is_announced_once(world: World) -> None:
    made = create(world)
    number = made["external_agreement_no"]
    open_page(world, made)
    world.emulator.set_fault("notify_twice", out_trade_no=number)
    world.emulator.set_fault("notify_out_of_order", out_trade_no=number, seconds=300)
    world.emulator.agree(number)
    world.advance(10)
    world.emulator.agree(number, "unsign")
    world.advance(600)
    assert read(world, number)["status"] == "ended"
    assert told(world, number).count("agreement.signed") <= 1
    assert told(world, number)[-1] == "agreement.ended"


def test_a_page_that_nobody_signs_expires(world: World) -> None:
    made = create(world, page_seconds=600)
    number = made["external_agreement_no"]
    open_page(world, made)
    world.advance(1200)
    shown = read(world, number)
    assert (shown["status"], shown["sign_url"]) == ("expired", None)
    assert told(world, number) == []
    with httpx2.Client(trust_env=False, verify=False) as browser:
        assert browser.get(made["sign_url"]).status_code == 404
        tampered = made["sign_url"][:-3] + "aaa"
        assert browser.get(tampered).status_code == 404
    with pytest.raises(Declined):
        world.emulator.agree(number)


def test_the_merchant_ends_it_and_nothing_is_charged_any_more(world: World) -> None:
    number = signed(world, ahead=2)
    answer = world.api.post(f"/v1/agreements/{number}/unsign")
    assert (answer.status_code, answer.json()["status"]) == (200, "ended")
    assert world.api.post(f"/v1/agreements/{number}/unsign").json()["status"] == "ended"
    world.advance(3 * DAY_SECONDS)
    assert tries(world, number) == []
    assert told(world, number) == ["agreement.signed", "agreement.ended"]
    body = {"out_trade_no": f"{number}-x", "amount": PRICE, "subject": "Membership"}
    charge = world.api.post(f"/v1/agreements/{number}/deductions", json=body)
    assert charge.json()["code"] == "agreement_not_active"


@pytest.mark.parametrize("fault", ["gateway_timeout_after_success", "gateway_20000"])
def test_an_end_of_which_nobody_knows_is_asked_about(world: World, fault: str) -> None:
    number = signed(world)
    world.emulator.set_fault("notify_never", out_trade_no=number)
    world.emulator.set_fault(fault, method=UNSIGN, times=1, seconds=0)
    world.api.post(f"/v1/agreements/{number}/unsign")
    world.advance(120)
    assert read(world, number)["status"] == "ended"
    assert told(world, number) == ["agreement.signed", "agreement.ended"]


def test_the_buyer_ends_it_and_the_shop_knows(world: World) -> None:
    number = signed(world)
    world.emulator.agree(number, "unsign")
    world.settle()
    assert read(world, number)["status"] == "ended"
    assert told(world, number) == ["agreement.signed", "agreement.ended"]


def test_the_planned_day_is_moved_to_a_later_one_only(world: World) -> None:
    number = signed(world)
    day = date.fromisoformat(read(world, number)["next_deduct_on"])

    def move(to: date) -> httpx2.Response:
        body = {"next_deduct_on": to.isoformat()}
        return world.api.post(f"/v1/agreements/{number}/plan", json=body)

    refused = move(day - timedelta(days=1))
    assert refused.json()["code"] == "agreement_plan_not_moved"
    later = day + timedelta(days=3)
    assert move(later).json()["next_deduct_on"] == later.isoformat()
    world.emulator.set_fault("gateway_20000", method=MODIFY, times=1)
    unclear = move(later + timedelta(days=1))
    assert (unclear.status_code, unclear.json()["code"]) == (503, "agreement_plan_unclear")
    world.advance(14 * DAY_SECONDS)
    assert charged(world, number) == [f"{number}-{later:%Y%m%d}-1"]


def test_what_is_asked_for_must_make_sense(world: World) -> None:
    made = create(world)
    number = made["external_agreement_no"]
    ended = world.api.post(f"/v1/agreements/{number}/unsign")
    assert ended.json()["code"] == "agreement_not_endable"
    assert world.api.get("/v1/agreements/none").json()["code"] == "agreement_not_found"
    body = {"external_agreement_no": number, "sign_scene": "X", "product": "GENERAL_WITHHOLDING"}
    assert world.api.post("/v1/agreements", json=body).json()["code"] == "agreement_conflict"
    for wrong in (
        {"product": "CYCLE_PAY_AUTH"},  # without a rule
        {"rule": {"period_type": "DAY", "period": 6, "first_on": "2026-04-01", "single_amount": "1"}},
        {"rule": {"period_type": "MONTH", "period": 1, "first_on": "2026-04-29", "single_amount": "1"}},
        {"plan": {"amount": "1", "subject": "x"}},
    ):  # fmt: skip
        answer = world.api.post(
            "/v1/agreements", json=body | {"external_agreement_no": "W"} | wrong
        )
        assert answer.status_code == 422, answer.text
    listed = world.api.get("/v1/agreements", params={"status": "created", "limit": 1}).json()
    assert listed["data"][0]["external_agreement_no"] == number
