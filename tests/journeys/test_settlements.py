"""Direct pay: a payment is held by Alipay until its settlement is confirmed, once, whatever becomes of the call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from daozhang.emulator.confirmations import Request
from daozhang.money import Money
from daozhang.service.audit.model import SYSTEM
from daozhang.service.merchants.outgoing import turn_outgoing
from sharing import AGENCY, code_of, paid, plan, ready, refund, rounds, shared, sums, switch
from worlds import World

CONFIRM = "alipay.trade.settle.confirm"
QUERY = "alipay.trade.query"
REFUND = "alipay.trade.refund"


@pytest.fixture
def world(shared_world: World) -> World:
    """Each test has orders of its own; the shop is a merchant of direct pay."""
    ready(shared_world)
    switch(shared_world, direct_pay=True, settlement_suspended=False)
    answer = shared_world.api.put("/v1/sharing", json={"direct_pay": True})
    assert answer.json()["direct_pay"] is True
    return shared_world


def confirm(world: World, number: str, own: str | None, **more: Any) -> Any:
    body = more if own is None else {"out_request_no": own, **more}
    return world.api.post(f"/v1/orders/{number}/settlements", json=body)


def confirmed(world: World, number: str, own: str, **more: Any) -> None:
    """Asks for it, and lets what is due at this moment happen."""
    answer = confirm(world, number, own, **more)
    assert answer.status_code == 201, answer.text
    world.settle()


def settlements(world: World, number: str) -> list[dict[str, Any]]:
    return world.api.get(f"/v1/orders/{number}/settlements").json()["data"]


def stand(world: World, number: str) -> list[tuple[str, str]]:
    return [(one["status"], one["amount"]) for one in settlements(world, number)]


def waits(world: World, number: str) -> str:
    """What of the payment Alipay holds until it is confirmed, by Alipay's own words."""
    trade = world.emulator.trade(number)
    return world.emulator.desk.sharing.confirmations.settle_info(trade)["trade_unsettled_amount"]


def surprises(world: World, number: str) -> list[str]:
    told = world.api.get("/v1/surprises").json()["data"]
    return [one["reason"] for one in told if one["out_trade_no"] == number]


def calls(world: World, number: str) -> int:
    story = world.api.get(f"/v1/orders/{number}/story").json()["entries"]
    return sum(one.get("calls", 0) for one in story if one["kind"] == "settlement")


def test_what_is_held_is_confirmed_once_and_then_shared(world: World) -> None:
    number = paid(world)
    shared(world, number, "A-1", (AGENCY, "20.00"))
    assert rounds(world, number)[0]["last_code"] == "ACQ.ALLOC_REFUSE_BEFORE_SETTLE"
    assert waits(world, number) == "100.00"

    first = confirm(world, number, "A-2")
    assert (first.status_code, first.json()["status"]) == (201, "requested")
    world.settle()

    assert stand(world, number) == [("confirmed", "100.00")]
    assert waits(world, number) == "0.00"
    assert world.events(number) == ["order.paid", "share.failed", "settlement.confirmed"]
    again = confirm(world, number, "A-2")
    assert (again.status_code, again.json()["status"]) == (200, "confirmed")
    assert code_of(confirm(world, number, "A-3")) == "settlement_confirmed"
    assert code_of(confirm(world, number, "A-2", royalty_freeze=True)) == "settlement_conflict"
    assert code_of(confirm(world, paid(world), "A-2")) == "settlement_conflict"
    assert calls(world, number) == 1
    shared(world, number, "A-4", (AGENCY, "20.00"))
    assert sums(world, number)[2] == "20.00"


@pytest.mark.parametrize(
    ("fault", "sent"), [("gateway_timeout_after_success", 1), ("gateway_20000", 2)]
)
def test_an_outcome_that_nobody_knows_is_asked_about(world: World, fault: str, sent: int) -> None:
    number = paid(world)
    world.emulator.set_fault(fault, method=CONFIRM, times=1)
    confirmed(world, number, f"B-{sent}")
    assert stand(world, number) == [("unknown", "100.00")]
    assert code_of(confirm(world, number, f"B-{sent}-other")) == "settlement_under_way"

    world.advance(30)

    assert stand(world, number) == [("confirmed", "100.00")]
    assert calls(world, number) == sent  # what has arrived is not sent again
    assert world.events(number)[-1] == "settlement.confirmed"
    assert waits(world, number) == "0.00"


def test_a_person_is_told_of_what_stays_unclear_and_the_asking_goes_on(world: World) -> None:
    number = paid(world)
    world.emulator.set_fault("gateway_timeout_after_success", method=CONFIRM, times=1)
    confirmed(world, number, "C-1")
    world.emulator.set_fault("gateway_20000", method=QUERY)
    world.advance(4 * 3600)
    assert surprises(world, number) == ["settlement_stays_unclear"]
    assert stand(world, number) == [("unknown", "100.00")]

    world.emulator.clear_faults()
    world.advance(3600)

    assert stand(world, number) == [("confirmed", "100.00")]
    assert calls(world, number) == 1


def test_a_definite_no_ends_it_and_says_what_to_do(world: World) -> None:
    number = paid(world)
    switch(world, settlement_suspended=True)
    confirmed(world, number, "D-1")
    (failed,) = settlements(world, number)
    assert (failed["status"], failed["last_code"]) == ("failed", "ACQ.RISK_SETTLE_SUSPEND")
    assert "risk control" in failed["message"]
    assert "风控" in failed["message_zh"]
    assert world.events(number)[-1] == "settlement.failed"
    assert confirm(world, number, "D-1").status_code == 200

    switch(world, settlement_suspended=False)
    confirmed(world, number, "D-2")

    assert stand(world, number) == [("failed", "100.00"), ("confirmed", "100.00")]


def test_a_no_after_the_first_call_never_arrived_is_believed(world: World) -> None:
    number = paid(world)
    world.emulator.set_fault("gateway_20000", method=CONFIRM, times=1)
    confirmed(world, number, "E-1")
    switch(world, settlement_suspended=True)
    world.advance(30)
    assert stand(world, number) == [("failed", "100.00")]
    assert waits(world, number) == "100.00"


def test_somebody_else_has_confirmed_it(world: World) -> None:
    number = paid(world)
    elsewhere(world, number)
    confirmed(world, number, "F-1")
    (failed,) = settlements(world, number)
    assert (failed["status"], failed["last_code"]) == ("failed", "ACQ.ALREADY_CONFIRM_SETTLE")
    assert "by another request" in failed["message"]


def test_somebody_else_confirms_it_while_ours_is_unclear(world: World) -> None:
    number = paid(world)
    world.emulator.set_fault("gateway_20000", method=CONFIRM, times=1)
    confirmed(world, number, "F-2")
    elsewhere(world, number)
    world.advance(30)
    # Nothing of the payment waits any more, which is all that was wanted.
    assert stand(world, number) == [("confirmed", "100.00")]
    assert calls(world, number) == 1


def elsewhere(world: World, number: str) -> None:
    """Another system of the seller confirms it, under a number of its own."""
    desk, trade = world.emulator.desk, world.emulator.trade(number)
    request = Request("elsewhere", Money(100_00), freezes=False)
    desk.sharing.confirmations.confirm(trade, trade.request.app_id, request)


def test_what_is_left_after_a_refund_is_confirmed(world: World) -> None:
    number = paid(world)
    world.emulator.set_fault("gateway_20000", method=REFUND, times=1)
    refund(world, number, "40.00", "G-R")
    world.settle()
    waiting = confirm(world, number, "G-1")
    assert (code_of(waiting), waiting.json()["reserved"]) == ("settlement_waits", "40.00")
    world.advance(60)
    assert sums(world, number)[0] == "40.00"
    confirmed(world, number, "G-1")
    assert stand(world, number) == [("confirmed", "60.00")]


@pytest.mark.parametrize("fault", [None, "gateway_20000"])
def test_a_refund_names_the_request_that_confirmed_it(world: World, fault: str | None) -> None:
    number = paid(world)
    confirmed(world, number, f"O-{fault}")
    if fault is not None:
        world.emulator.set_fault(fault, method=REFUND, times=1)
    refund(world, number, "40.00", f"O-R-{fault}")
    world.settle()
    world.advance(60)
    assert sums(world, number)[0] == "40.00"
    (made,) = world.emulator.trade(number).refunds
    assert str(made.amount) == "40.00"


@pytest.mark.parametrize("fault", ["gateway_timeout_after_success", "gateway_20000"])
def test_a_refund_waits_until_it_is_clear_whether_it_is_confirmed(world: World, fault: str) -> None:
    number = paid(world)
    world.emulator.set_fault(fault, method=CONFIRM, times=1)
    confirmed(world, number, f"W-{fault}")
    assert refund(world, number, "40.00", f"W-R-{fault}").status_code == 201
    world.settle()
    assert [one["status"] for one in world.refunds(number)] == ["requested"]
    world.advance(60)
    assert stand(world, number) == [("confirmed", "100.00")]
    assert [one["status"] for one in world.refunds(number)] == ["succeeded"]
    assert sums(world, number)[0] == "40.00"


def test_a_refund_does_not_wait_for_ever(world: World) -> None:
    number = paid(world)
    world.emulator.set_fault("gateway_timeout_after_success", method=CONFIRM, times=1)
    world.emulator.set_fault("gateway_timeout_after_success", method=QUERY)
    confirmed(world, number, "V-1")
    refund(world, number, "40.00", "V-R")
    # Nobody waits for ever: it is sent as far as is known, and Alipay says no.
    world.advance(11 * 60)
    assert [one["status"] for one in world.refunds(number)] == ["failed"]
    world.emulator.clear_faults()
    world.advance(60 * 60)
    assert stand(world, number) == [("confirmed", "100.00")]
    refund(world, number, "40.00", "V-S")
    world.advance(60)
    assert sums(world, number)[0] == "40.00"


def test_a_refund_that_was_sent_before_it_was_confirmed_stays_as_it_was(world: World) -> None:
    number = paid(world)
    world.emulator.set_fault("gateway_timeout_after_success", method=REFUND, times=1)
    refund(world, number, "40.00", "P-R")
    world.advance(60)
    confirmed(world, number, "P-1")
    world.api.post(
        f"/v1/orders/{number}/refunds", json={"amount": "10.00", "out_request_no": "P-S"}
    )
    world.advance(60)
    assert (stand(world, number), sums(world, number)[0]) == ([("confirmed", "60.00")], "50.00")


def test_a_refund_past_us_makes_the_amount_another_one(world: World) -> None:
    number = paid(world)
    world.emulator.set_fault("notify_never")
    world.emulator.refund(number, Money(40_00), "centre")
    confirmed(world, number, "H-1")
    (failed,) = settlements(world, number)
    assert failed["last_code"] == "ACQ.INVALID_SETTLE_AMOUNT_PARAMETER"
    assert "new number" in failed["message"]


def test_all_is_refunded_while_nobody_knows(world: World) -> None:
    number = paid(world)
    world.emulator.set_fault("gateway_20000", method=CONFIRM, times=1)
    confirmed(world, number, "I-1")
    world.emulator.refund(number, None, "centre")
    world.advance(30)
    (failed,) = settlements(world, number)
    assert (failed["status"], failed["last_code"]) == ("failed", "ACQ.CONFIRM_REFUSE_AFTER_REFUND")
    assert code_of(confirm(world, number, "I-2")) == "order_not_settleable"


def test_where_outgoing_money_is_stopped_nothing_is_settled(world: World) -> None:
    context, merchant_id = world.service.context, 1
    number, other = paid(world), paid(world)
    world.emulator.set_fault("gateway_20000", method=CONFIRM, times=1)
    confirmed(world, number, "J-1")
    with context.database.begin() as tx:
        turn_outgoing(tx, context, merchant_id, allowed=False, reason="audit", actor=SYSTEM)
    try:
        assert code_of(confirm(world, other, "J-2")) == "outgoing_stopped"
        world.advance(60)
        (held,) = settlements(world, number)
        assert (held["status"], calls(world, number)) == ("requested", 1)
        assert held["held_at"]
    finally:
        with context.database.begin() as tx:
            turn_outgoing(tx, context, merchant_id, allowed=True, reason="done", actor=SYSTEM)
    world.settle()
    assert stand(world, number) == [("confirmed", "100.00")]


def test_what_is_confirmed_can_stay_frozen_for_its_receivers(world: World) -> None:
    number = paid(world)
    confirmed(world, number, "K-1", royalty_freeze=True)
    assert settlements(world, number)[0]["royalty_freeze"] is True
    trade, accounts = world.emulator.trade(number), world.emulator.desk.accounts
    assert str(accounts.parked(trade.request.seller_id, trade.trade_no)) == "99.40"


def test_a_plan_shares_once_the_settlement_is_confirmed(world: World) -> None:
    plan(world, "tenth", {"account": AGENCY, "percent": "10"})
    number = paid(world, share_plan="tenth")
    assert rounds(world, number) == []  # Alipay would refuse it
    confirmed(world, number, "Q-1")
    (made,) = rounds(world, number)
    assert (made["status"], made["plan"], made["amount"]) == ("done", "tenth", "10.00")
    told = ["order.paid", "settlement.confirmed", "share.succeeded"]
    assert world.events(number) == told
    assert sums(world, number)[2] == "10.00"


def test_a_plan_that_cannot_share_does_not_hinder_the_settlement(world: World) -> None:
    plan(world, "half", {"account": AGENCY, "percent": "50"})
    number = paid(world, share_plan="half")
    assert surprises(world, number) == []
    confirmed(world, number, "R-1")
    assert (stand(world, number), rounds(world, number)) == ([("confirmed", "100.00")], [])
    assert surprises(world, number) == ["share_plan_failed"]


def test_what_cannot_be_confirmed_is_refused_with_a_reason(world: World) -> None:
    unpaid = world.order("100.00")
    assert code_of(confirm(world, unpaid, "L-1")) == "order_not_settleable"
    number = paid(world)
    assert code_of(confirm(world, number, None)) == "settlement_number_missing"
    world.api.put("/v1/sharing", json={})
    assert code_of(confirm(world, number, "L-2")) == "not_direct_pay"
    assert settlements(world, number) == []


def test_one_number_for_two_payments_at_the_same_moment_is_one_request(world: World) -> None:
    for turn in range(8):
        own, orders = f"TWO-{turn}", [paid(world), paid(world)]
        with ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(confirm, world, number, own) for number in orders]
            answers = [one.result() for one in asked]
        no = next(answer for answer in answers if answer.status_code != 201)
        assert code_of(no) == "settlement_conflict"


def test_an_idempotency_key_is_a_number_too(world: World) -> None:
    number = paid(world)
    path, headers = f"/v1/orders/{number}/settlements", {"Idempotency-Key": "key of M"}
    first = world.api.post(path, json={}, headers=headers)
    assert first.status_code == 201
    world.settle()
    again = world.api.post(path, json={}, headers=headers)
    assert again.json()["out_request_no"] == first.json()["out_request_no"]
    assert len(settlements(world, number)) == 1


def test_its_story_is_told_in_both_languages(world: World) -> None:
    number = paid(world)
    world.emulator.set_fault("gateway_20000", method=CONFIRM, times=1)
    confirmed(world, number, "N-1")
    story = world.api.get(f"/v1/orders/{number}/story").json()
    assert any("whether the settlement is confirmed" in one["say"] for one in story["next"])
    world.advance(30)
    entries = world.api.get(f"/v1/orders/{number}/story").json()["entries"]
    told = [one for one in entries if one["kind"] == "settlement"]
    assert [one["word"] for one in told] == ["requested", "called", "answer", "ended"]
    assert (
        told[-1]["say"]
        == "The settlement of 100.00 CNY is confirmed: Alipay pays it out as agreed."
    )
    assert told[-1]["say_zh"] == "已确认结算 100.00 CNY，支付宝将按约定结算。"
