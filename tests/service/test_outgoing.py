"""The switch that stops outgoing money: nothing is sent while it is off, all of it once it is on."""

from __future__ import annotations

from collections.abc import Generator

import httpx2
import pytest

from daozhang.money import Money
from daozhang.service.auth.actions import create_api_key
from daozhang.service.auth.model import KeyMerchant, Scope
from daozhang.service.merchants.model import LatePolicy
from refund_world import TOTAL, Shop, Weather, open_shop

PART = Money.parse("2.00")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Generator[Shop]:
    with open_shop(tmp_path_factory.mktemp("outgoing"), late_policy=LatePolicy.REFUND) as shop:
        yield shop


@pytest.fixture(autouse=True)
def _as_at_first(shop: Shop) -> Generator[None]:
    shop.gateway.weather.clear()
    shop.gateway.calls.clear()
    yield
    turn(shop, allowed=True)
    shop.pass_time(60)
    assert shop.gateway.broken_rules == []


def turn(shop: Shop, *, allowed: bool, reason: str = "till found open") -> httpx2.Response:
    answer = shop.api.patch("/v1/outgoing", json={"allowed": allowed, "reason": reason})
    assert answer.status_code == 200, answer.text
    assert answer.json()["allowed"] is allowed
    return answer


def test_nothing_is_asked_for_while_it_is_off_and_payments_are_booked(shop: Shop) -> None:
    number = shop.paid_order()
    turn(shop, allowed=False)
    refused = shop.refund(number, PART, "R1")
    assert (refused.status_code, refused.json()["code"]) == (409, "outgoing_stopped")
    assert "till found open" in refused.json()["detail"]
    assert shop.refunds(number) == []
    another = shop.paid_order()
    assert shop.order(another)["status"] == "paid"
    turn(shop, allowed=True)
    assert shop.refund(number, PART, "R1").status_code == 201
    shop.pass_time(5)
    assert shop.the_refund(number)["status"] == "succeeded"


def test_what_was_asked_for_before_waits_however_long_and_resumes_by_itself(shop: Shop) -> None:
    number = shop.paid_order()
    shop.gateway.weather.append(Weather.POOR)
    assert shop.refund(number, PART, "R1").status_code == 201
    shop.pass_time(1)
    assert len(shop.gateway.calls) == 1
    turn(shop, allowed=False)
    shop.pass_time(3 * 24 * 3600)
    held = shop.the_refund(number)
    assert held["status"] == "requested"
    assert held["held_at"] is not None
    assert held["next_attempt_at"] is None
    assert len(shop.gateway.calls) == 1
    again = shop.refund(number, PART, "R1")
    assert (again.status_code, again.json()["status"]) == (200, "requested")
    turn(shop, allowed=True)
    shop.pass_time(5)
    assert shop.the_refund(number)["status"] == "succeeded"
    assert shop.the_refund(number)["held_at"] is None
    assert shop.gateway.refunded(number) == {"R1": PART}


def test_one_in_doubt_is_asked_about_and_not_sent_again(shop: Shop) -> None:
    arrived, lost = shop.paid_order(), shop.paid_order()
    shop.gateway.weather += [Weather.LATE_ANSWER]
    assert shop.refund(arrived, PART, "R1").status_code == 201
    shop.pass_time(1)
    shop.gateway.weather += [Weather.LOST]
    assert shop.refund(lost, PART, "R1").status_code == 201
    shop.pass_time(1)
    turn(shop, allowed=False)
    shop.pass_time(3600)
    assert shop.the_refund(arrived)["status"] == "succeeded"
    assert shop.the_refund(lost)["status"] == "requested"
    assert len(shop.gateway.calls) == 2
    turn(shop, allowed=True)
    shop.pass_time(5)
    assert shop.gateway.refunded(lost) == {"R1": PART}


def test_a_refund_by_policy_waits_and_the_late_payment_is_booked(shop: Shop) -> None:
    number = "LATE1"
    body = {"out_trade_no": number, "amount": str(TOTAL), "subject": "Tea"}
    assert shop.api.post("/v1/orders", json=body).status_code == 201
    turn(shop, allowed=False)
    assert shop.api.post(f"/v1/orders/{number}/close").status_code == 200
    shop.tell(number)
    shop.pass_time(3600)
    assert shop.order(number)["status"] == "paid"
    assert "order.paid_late" in shop.events(number)
    assert shop.gateway.calls == []
    turn(shop, allowed=True)
    shop.pass_time(5)
    assert shop.order(number)["status"] == "refunded"


def test_who_when_and_why_are_kept_and_a_turn_to_the_same_changes_nothing(shop: Shop) -> None:
    turn(shop, allowed=False, reason="first")
    turn(shop, allowed=False, reason="second")
    turn(shop, allowed=True, reason="third")
    turns = shop.api.get("/v1/outgoing").json()["turns"]
    assert [(one["allowed"], one["reason"]) for one in turns[:2]] == [
        (True, "third"),
        (False, "first"),
    ]
    assert turns[0]["changed_by"].startswith("api_key:")
    assert turns[0]["changed_at"]
    for body in ({"allowed": False}, {"allowed": False, "reason": "   "}):
        assert shop.api.patch("/v1/outgoing", json=body).status_code == 422
    assert shop.api.get("/v1/outgoing").json()["allowed"] is True


def test_a_key_that_may_refund_may_not_turn_the_switch(shop: Shop) -> None:
    context = shop.service.context
    with context.database.begin() as tx:
        _, secret = create_api_key(
            tx,
            name="till",
            environment="emulator",
            merchants=[KeyMerchant(1, "shop")],
            scopes=[Scope.REFUNDS_WRITE, Scope.ORDERS_READ],
            refund_limit=None,
            now=context.clock.now(),
        )
    own = {"Authorization": f"Bearer {secret}"}
    body = {"allowed": True, "reason": "because"}
    assert shop.api.patch("/v1/outgoing", json=body, headers=own).status_code == 403
    assert shop.api.get("/v1/outgoing", headers=own).status_code == 200
