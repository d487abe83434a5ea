"""Messages of Alipay's application gateway: recorded, shown, announced once, and taken by who wants them."""

from __future__ import annotations

from typing import Any

import pytest

from worlds import World, open_gateway

DEPOSIT_BACK = "alipay.trade.refund.depositback.completed"

NOTICE = "alipay.open.app.brandnew.changed"


@pytest.fixture
def world(shared_world: World) -> World:
    """Each test has messages of its own."""
    open_gateway(shared_world)
    return shared_world


def messages(world: World, **query: Any) -> list[dict[str, Any]]:
    answer = world.api.get("/v1/messages", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def paid_by_card(world: World, amount: str = "10.00") -> str:
    number = world.order(amount)
    world.open_page(number)
    world.emulator.pay(number, channel="bank_card")
    world.settle()
    return number


def destination(world: World, number: str) -> str | None:
    [refund] = world.refunds(number)
    assert refund["status"] == "succeeded"
    return refund["destination"]


def test_a_kind_that_nobody_knows_is_kept_and_shown(world: World) -> None:
    world.emulator.set_fault("notify_twice", times=1)
    world.emulator.set_fault("notify_answer_lost", times=1)
    world.emulator.send_message(NOTICE, {"what": "苏州评弹", "count": 3}, app="shop")
    world.advance(600)
    [message] = messages(world, kind=NOTICE)
    assert message["copies"] == 2
    assert "nobody" in message["outcome"]
    whole = world.api.get(f"/v1/messages/{message['id']}").json()
    assert whole["content"] == {"what": "苏州评弹", "count": 3}
    assert whole["fields"]["msg_type"] == "sys"
    assert whole["readable"] is True
    announced = [e for e in world.events_without_order() if e.data["message"]["kind"] == NOTICE]
    assert [event.type for event in announced] == ["message.received"]
    assert announced[0].data["message"]["id"] == message["id"]
    assert "苏州" not in str(announced)


def test_messages_come_in_pages_and_belong_to_their_merchant(world: World) -> None:
    for number in range(5):
        world.emulator.send_message("alipay.test.page", {"n": number}, app="shop")
    world.settle()
    first = world.api.get("/v1/messages", params={"kind": "alipay.test.page", "limit": 3}).json()
    rest = messages(world, kind="alipay.test.page", limit=3, cursor=first["next_cursor"])
    assert len(first["data"]) + len(rest) == 5
    missing = world.api.get("/v1/messages/999999")
    assert (missing.status_code, missing.json()["code"]) == (404, "message_not_found")


def test_what_is_not_signed_is_no_message(world: World) -> None:
    world.emulator.set_fault("notify_bad_signature", times=1)
    world.emulator.send_message("alipay.test.forged", {}, app="shop")
    world.settle()
    assert messages(world, kind="alipay.test.forged") == []
    world.advance(300)  # Alipay sends it again, and this time it is whole
    assert len(messages(world, kind="alipay.test.forged")) == 1


# ---- refunds to a bank card


def test_a_refund_that_a_bank_took(world: World) -> None:
    number = paid_by_card(world)
    world.refund(number, "4.00", "R1")
    world.settle()
    assert destination(world, number) == "bank_card_pending"
    world.emulator.bank_returns(number, "R1", arrived=True)
    world.settle()
    assert destination(world, number) == "bank_card"
    assert world.events(number) == ["order.paid", "refund.succeeded"]


def test_a_refund_that_bounced_stays_succeeded_and_is_never_sent_again(world: World) -> None:
    number = paid_by_card(world)
    world.refund(number, "10.00", "R1")
    world.settle()
    world.emulator.set_fault("notify_twice", times=1)
    world.emulator.bank_returns(number, "R1", arrived=False)
    world.settle()
    assert destination(world, number) == "buyer_balance"
    assert world.events(number)[-2:] == ["refund.bounced", "order.surprise"]
    order = world.read(number)
    assert (order["status"], order["attention"]) == ("refunded", True)
    world.advance(30 * 86400)
    assert world.events(number).count("refund.bounced") == 1
    assert len(world.emulator.trade(number).refunds) == 1
    # The bank changes its mind: the first end stays, and a person is told.
    world.emulator.bank_returns(number, "R1", arrived=True)
    world.settle()
    assert destination(world, number) == "buyer_balance"


def test_a_bank_whose_message_is_lost_is_asked_after(world: World) -> None:
    number = paid_by_card(world)
    world.refund(number, "4.00", "R1")
    world.settle()
    world.emulator.set_fault("notify_never", times=1)
    world.emulator.bank_returns(number, "R1", arrived=False)
    world.settle()
    assert destination(world, number) == "bank_card_pending"
    world.advance(86400 + 60)
    assert destination(world, number) == "buyer_balance"
    assert world.events(number).count("refund.bounced") == 1


def test_a_bounce_of_a_refund_that_we_never_heard_of(world: World) -> None:
    number = paid_by_card(world)
    world.emulator.set_fault("notify_never", times=1)
    world.emulator.refund(number, None, "centre-1")
    world.emulator.bank_returns(number, "centre-1", arrived=False)
    world.settle()
    world.advance(120)
    [refund] = world.refunds(number)
    assert (refund["origin"], refund["status"]) == ("external", "succeeded")
    assert refund["destination"] == "buyer_balance"
    assert world.read(number)["status"] == "refunded"


def test_a_bounce_without_an_amount_is_asked_about_too(world: World) -> None:
    number = paid_by_card(world)
    world.emulator.set_fault("notify_never", times=1)
    world.emulator.refund(number, None, "centre-2")
    world.emulator.set_fault("notify_never", times=1)
    world.emulator.bank_returns(number, "centre-2", arrived=False)
    world.emulator.send_message(
        DEPOSIT_BACK,
        {"out_trade_no": number, "out_request_no": "centre-2", "dback_status": "F"},
        app="shop",
    )
    world.settle()
    world.advance(120)
    [refund] = world.refunds(number)
    assert (refund["status"], refund["amount"]) == ("succeeded", "10.00")
    assert refund["destination"] == "buyer_balance"
    assert world.events(number).count("refund.bounced") == 1


def test_a_bounce_of_a_refund_that_is_not_proven_is_not_believed(world: World) -> None:
    number = paid_by_card(world)
    world.emulator.set_fault("gateway_20000", method="alipay.trade.refund", times=1)
    world.refund(number, "4.00", "R1")
    world.settle()
    told = {"out_trade_no": number, "out_request_no": "R1", "dback_status": "F"}
    world.emulator.send_message(DEPOSIT_BACK, told, app="shop")
    world.settle()
    [refund] = world.refunds(number)
    assert (refund["status"], refund["destination"]) == ("unknown", None)
    world.advance(60)
    # It had never arrived, and was sent: it is on its way to the card, and nothing has bounced.
    assert destination(world, number) == "bank_card_pending"
    assert "refund.bounced" not in world.events(number)


def test_a_message_about_another_trade_moves_nothing(world: World) -> None:
    number = paid_by_card(world)
    world.refund(number, "4.00", "R1")
    world.settle()
    told = {"out_trade_no": number, "out_request_no": "R1", "dback_status": "F", "trade_no": "20"}
    world.emulator.send_message(DEPOSIT_BACK, told, app="shop")
    world.settle()
    assert destination(world, number) == "bank_card_pending"
    assert world.events(number)[-1] == "order.surprise"
    assert world.read(number)["attention"] is True


def test_money_paid_from_the_balance_has_no_bank(world: World) -> None:
    number = world.order("10.00")
    world.pay(number)
    world.settle()
    world.refund(number, "4.00", "R1")
    world.settle()
    assert destination(world, number) is None


def test_a_refund_keeps_who_asked_and_whose_shares_go_back(world: World) -> None:
    number = paid_by_card(world)
    shares = [{"royalty_type": "transfer", "trans_out": "2088101126765726", "amount": "1.00"}]
    body = {
        "amount": "4.00",
        "reason": "茶叶受潮",
        "operator_id": "li",
        "refund_royalty_parameters": shares,
    }
    path = f"/v1/orders/{number}/refunds"
    made = world.api.post(path, json=body, headers={"Idempotency-Key": "key-1"})
    assert made.status_code == 201, made.text
    world.settle()
    [refund] = world.refunds(number)
    assert refund["refund_royalty_parameters"] == shares
    assert (refund["reason"], refund["operator_id"]) == ("茶叶受潮", "li")
    assert refund["idempotency_key"] == "key-1"
    assert refund["requested_by"].startswith("api_key:")
    # Who names none leaves it to the plan, and means the same refund; who names others does not.
    same = {**body, "out_request_no": refund["out_request_no"], "refund_royalty_parameters": []}
    again = world.api.post(path, json=same)
    assert again.status_code in (200, 201), again.text
    assert again.json()["refund_royalty_parameters"] == shares
    other = {**same, "refund_royalty_parameters": [{**shares[0], "amount": "2.00"}]}
    refused = world.api.post(path, json=other)
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_conflict")
