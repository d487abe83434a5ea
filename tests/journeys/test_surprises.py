"""Every end of a surprise, from the strange payment to the last event: money never moves twice, and
Alipay's ledger agrees."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from daozhang.alipay.operations.trade import TradeAppPay
from daozhang.money import Money
from daozhang.service.approvals.model import Approval
from daozhang.service.audit.actions import verify_chain
from daozhang.service.merchants.second_person import set_second_person_as
from daozhang.service.orders.model import Surprise
from daozhang.service.orders.surprises import list_surprises
from daozhang.service.outbox.store import list_events_of_merchant
from daozhang.service.people.model import Role
from daozhang.service.refunds.approving import approve_refund
from daozhang.service.surprises.actions import By, Desk
from daozhang.service.surprises.refusals import SurpriseOver, SurpriseTaken, WorkerUnfit
from people_here import add_person, deeds
from worlds import World

HOUR_SECONDS = 3600


def desk_of(world: World) -> Desk:
    return Desk(world.service.jobs, world.service.inquirer)


def pay_elsewhere(world: World, number: str, amount: str) -> None:
    """Another system of the same app takes a payment, and gives our notify address."""
    paying = TradeAppPay(
        out_trade_no=number, total_amount=Money.parse(amount), subject="碧螺春 50g"
    )
    notify_url = f"{world.service.context.settings.public_url}/alipay/notify/shop"
    order_string = world.service.clients.client_for(1).order_string(paying, notify_url=notify_url)
    address = f"{world.emulator.base_url}/_control/pay"
    world.browser.post(address, json={"order_string": order_string}).raise_for_status()


def unclaimed(world: World, number: str, amount: str = "66.00") -> int:
    """A payment that nobody claims within the hour; the row of its surprise."""
    pay_elsewhere(world, number, amount)
    world.advance(HOUR_SECONDS + 60)
    (one,) = [one for one in waiting(world) if one["out_trade_no"] == number]
    assert (one["reason"], one["amount"]) == ("payment_without_order", amount)
    return int(one["id"])


def waiting(world: World) -> list[dict[str, Any]]:
    return world.api.get("/v1/surprises").json()["data"]


def read(world: World, surprise_id: int) -> dict[str, Any]:
    return world.api.get(f"/v1/surprises/{surprise_id}").json()


def end(world: World, surprise_id: int, how: str, **told: str) -> httpx2.Response:
    return world.api.post(f"/v1/surprises/{surprise_id}/{how}", json=told)


def paid_late(world: World, amount: str = "8.88") -> tuple[str, int]:
    """An order that is paid after it was given up, by which the policy asks a person."""
    number = world.order(amount)
    world.open_page(number)
    world.emulator.set_fault("gateway_20000", method="alipay.trade.close", out_trade_no=number)
    world.api.post(f"/v1/orders/{number}/close")
    world.emulator.pay(number)
    world.advance(120)
    (one,) = [one for one in waiting(world) if one["out_trade_no"] == number]
    assert one["reason"] == "order_paid_late"
    return number, int(one["id"])


def story(world: World, number: str) -> list[dict[str, Any]]:
    return world.api.get(f"/v1/orders/{number}/story").json()["entries"]


def resolved(world: World) -> list[tuple[str | None, str]]:
    with world.service.context.database.read() as tx:
        listed = list_events_of_merchant(tx, 1, after_number=0, types=(), rows_max=10_000)
    return [
        (event.data["surprise"]["out_trade_no"], event.data["surprise"]["resolution"])
        for event in listed
        if event.type == "order.surprise_resolved"
    ]


def still_open(world: World, number: str) -> list[Surprise]:
    with world.service.context.database.read() as tx:
        return [one for one in list_surprises(tx, 1) if one.out_trade_no == number]


def test_a_payment_nobody_claims_is_refunded_once_however_often_it_is_asked_for(
    shared_world: World,
) -> None:
    world = shared_world
    surprise = unclaimed(world, "POS-1")
    assert read(world, surprise)["possible_ends"] == [
        "accepted",
        "refunded",
        "attached",
        "dismissed",
    ]
    first = end(world, surprise, "refund", note="买家重复付款")
    assert (first.status_code, first.json()["resolution"]) == (200, "refunded"), first.text
    assert end(world, surprise, "refund").json()["code"] == "surprise_over"
    assert end(world, surprise, "dismiss", note="x").json()["code"] == "surprise_over"
    world.advance(120)

    trade = world.emulator.trade("POS-1")
    assert (trade.refunded, len(trade.refunds)) == (Money.parse("66.00"), 1)
    order = world.read("POS-1")
    assert (order["status"], order["attention"]) == ("refunded", False)
    assert (order["subject"], order["metadata"]) == (
        "碧螺春 50g",
        {"made_for": f"surprise-{surprise}"},
    )
    assert [one["out_request_no"] for one in world.refunds("POS-1")] == [f"surprise-{surprise}"]
    assert world.events("POS-1") == [
        "order.paid",
        "order.surprise_resolved",
        "refund.succeeded",
        "order.refunded",
    ]


def test_a_payment_nobody_claims_is_accepted_as_an_order(shared_world: World) -> None:
    world = shared_world
    surprise = unclaimed(world, "POS-2")
    assert end(world, surprise, "accept").json()["resolution"] == "accepted"
    world.advance(120)

    order = world.read("POS-2")
    assert (order["status"], order["amount"], order["attention"]) == ("paid", "66.00", False)
    assert world.events("POS-2") == ["order.paid", "order.surprise_resolved"]
    assert not world.emulator.trade("POS-2").refunded
    said = [entry for entry in story(world, "POS-2") if entry["kind"] == "step"]
    assert said[-1]["cause"] == "surprise_accepted"
    assert "支付宝所述为准" in said[-1]["say_zh"]


def test_a_payment_nobody_claims_is_attached_to_the_order_it_was_for(shared_world: World) -> None:
    world = shared_world
    number = world.order("66.00", cart_ref="CART-9")
    surprise = unclaimed(world, "POS-3")
    nowhere = end(world, surprise, "attach", out_trade_no="nothing")
    assert nowhere.json()["code"] == "order_not_found"
    answer = end(world, surprise, "attach", out_trade_no=number, note="买家换了付款方式")
    assert answer.json()["resolution"] == "attached", answer.text

    made = world.read("POS-3")
    assert made["status"] == "paid"
    assert made["cart_ref"] == "CART-9"
    assert made["metadata"]["attached_to"] == number
    assert world.read(number)["status"] == "closed"  # nobody paid it itself: its time ran out
    assert [entry for entry in story(world, number) if entry.get("cause") == "payment_attached"]
    assert still_open(world, "POS-3") == []


def test_nothing_is_attached_to_what_is_paid(shared_world: World) -> None:
    world = shared_world
    number = world.order("66.00")
    world.pay(number)
    surprise = unclaimed(world, "POS-4")
    refused = end(world, surprise, "attach", out_trade_no=number)
    assert (refused.status_code, refused.json()["code"]) == (409, "attach_target_paid")
    assert world.api.get("/v1/orders/POS-4").status_code == 404
    assert end(world, surprise, "dismiss", note="旧收银系统的款项").status_code == 200
    assert world.api.get("/v1/orders/POS-4").status_code == 404
    assert ("POS-4", "dismissed") in resolved(world)
    assert not world.emulator.trade("POS-4").refunded


def test_of_what_was_told_wrong_the_answer_of_alipay_is_taken(shared_world: World) -> None:
    world = shared_world
    world.emulator.set_fault("amount_off_by_one", times=1)
    number = world.order("88.88")
    world.pay(number)
    world.settle()
    (one,) = still_open(world, number)
    assert one.reason == "amount_differs"
    assert world.read(number)["status"] in ("created", "waiting")

    assert end(world, one.id, "accept").json()["resolution"] == "accepted"
    order = world.read(number)
    assert (order["status"], order["attention"]) == ("paid", False)
    assert world.events(number) == ["order.surprise", "order.paid", "order.surprise_resolved"]


def test_an_amount_that_is_not_the_orders_is_never_accepted(shared_world: World) -> None:
    world = shared_world
    number = world.order("88.88")
    pay_elsewhere(world, number, "0.01")
    world.settle()
    (one,) = still_open(world, number)
    assert read(world, one.id)["possible_ends"] == ["accepted", "dismissed"]

    refused = end(world, one.id, "accept")
    assert (refused.status_code, refused.json()["reason"]) == (409, "amount_differs")
    assert end(world, one.id, "refund").json()["code"] == "surprise_end_not_possible"
    order = world.read(number)
    assert (order["status"], order["attention"]) == ("created", True)
    assert len(still_open(world, number)) == 1

    assert end(world, one.id, "dismiss", note="测试付款").status_code == 200
    assert world.read(number)["attention"] is False
    # What is dismissed is not hidden: Alipay says it again, and it is a surprise again.
    world.api.post(f"/v1/orders/{number}/query")
    assert [one.reason for one in still_open(world, number)] == ["amount_differs"]
    assert world.read(number)["attention"] is True


def test_attention_goes_with_the_last_surprise(shared_world: World) -> None:
    world = shared_world
    cart = "CART-TWICE"
    first = world.order("8.88", cart_ref=cart)
    world.pay(first)
    world.settle()
    number = world.order("8.88", cart_ref=cart)
    world.open_page(number)
    world.emulator.set_fault("gateway_20000", method="alipay.trade.close", out_trade_no=number)
    world.api.post(f"/v1/orders/{number}/close")
    world.emulator.pay(number)
    world.advance(120)
    world.emulator.set_fault("amount_off_by_one", times=1)
    world.emulator.refund(number, Money.parse("1.00"))
    world.advance(120)
    found = still_open(world, number)
    assert sorted(one.reason for one in found) == ["amount_differs", "order_paid_late"]

    end(world, found[0].id, "dismiss", note="一")
    assert world.read(number)["attention"] is True
    end(world, found[1].id, "dismiss", note="二")
    assert world.read(number)["attention"] is False


def test_what_was_paid_late_goes_back_or_stays(shared_world: World) -> None:
    world = shared_world
    kept, surprise = paid_late(world)
    assert end(world, surprise, "accept", note="已发货").status_code == 200
    gone, other = paid_late(world)
    assert end(world, other, "refund").status_code == 200
    world.advance(120)

    assert world.read(kept)["status"] == "paid"
    assert world.read(gone)["status"] == "refunded"
    assert not world.emulator.trade(kept).refunded
    assert len(world.emulator.trade(gone).refunds) == 1


def test_a_refund_that_takes_a_second_person_ends_the_surprise_once_it_has_one(
    shared_world: World,
) -> None:
    world = shared_world
    context = world.service.context
    owner = add_person(context, "olga")
    finance = add_person(context, "fred", Role.FINANCE)
    set_second_person_as(context, owner, 1, per_order=Money.parse("5.00"), per_day=None)
    number, surprise = paid_late(world)
    by, desk = By.of_person(finance), desk_of(world)

    waits = desk.refund(by, 1, surprise, "late")
    assert isinstance(waits, Approval)
    assert [one.id for one in still_open(world, number)] == [surprise]
    assert not world.emulator.trade(number).refunded
    approve_refund(context, world.service.jobs, owner, waits.id)
    world.advance(120)

    assert still_open(world, number) == []
    assert read(world, surprise)["resolution"] == "refunded"
    assert world.read(number)["status"] == "refunded"
    assert len(world.emulator.trade(number).refunds) == 1
    set_second_person_as(context, owner, 1, per_order=None, per_day=None)


def test_two_people_never_end_one_surprise(shared_world: World) -> None:
    world = shared_world
    context, desk = world.service.context, desk_of(world)
    owner = add_person(context, "owner")
    finance = add_person(context, "finance", Role.FINANCE)
    viewer = add_person(context, "viewer", Role.VIEWER)
    number, surprise = paid_late(world)
    mine, theirs = By.of_person(finance), By.of_person(owner)

    desk.take(mine, 1, surprise)
    with pytest.raises(SurpriseTaken):
        desk.refund(theirs, 1, surprise, None)
    assert end(world, surprise, "accept").json()["code"] == "surprise_taken"
    with pytest.raises(WorkerUnfit):
        desk.hand_over(mine, 1, surprise, viewer.id)
    handed = desk.hand_over(mine, 1, surprise, owner.id)
    assert (handed.owner, handed.owner_name) == (f"person:{owner.id}", "owner@example.com")
    with pytest.raises(SurpriseTaken):
        desk.dismiss(mine, 1, surprise, "no")
    assert desk.accept(theirs, 1, surprise, None) is not None
    with pytest.raises(SurpriseOver):
        desk.take(mine, 1, surprise)

    assert not world.emulator.trade(number).refunded
    done = [action for _, action in deeds(context) if action.startswith("surprise.")]
    assert done[-3:] == ["surprise.taken", "surprise.handed_over", "surprise.accepted"]
    assert verify_chain(context.database).broken is None
