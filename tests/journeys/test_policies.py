"""Late and double payment, on every way to pay: what the merchant's policies say is done (money.md §1, §4)."""

from __future__ import annotations

from collections.abc import Generator

import httpx2
import pytest

from daozhang.service.merchants.model import DuplicatePolicy, LatePolicy
from worlds import World, running

HANDED_OUT = ("page", "wap", "app", "qr", "mini")
"""The ways on which a buyer can pay after the order was given up here: what was handed out lives on. A
payment at the till is held instead while it is cancelled (test_till.py)."""

POLICIES = {
    "fulfil": (LatePolicy.FULFIL, DuplicatePolicy.PERSON),
    "refund": (LatePolicy.REFUND, DuplicatePolicy.REFUND_LATER),
    "person": (LatePolicy.PERSON, DuplicatePolicy.PERSON),
}


@pytest.fixture(scope="module", params=list(POLICIES))
def policy_world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[tuple[str, World]]:
    """A merchant for each set of policies."""
    late, twice = POLICIES[request.param]
    directory = tmp_path_factory.mktemp(request.param)
    with running(directory, late_policy=late, duplicate_policy=twice) as alive:
        yield request.param, alive


class Buyer:
    """Somebody who is handed what an order is paid with, and pays it, then or later."""

    def __init__(self, world: World, way: str, number: str) -> None:
        self.world, self.way, self.number = world, way, number
        self.order_string = ""

    def is_handed_over(self) -> None:
        orders = f"/v1/orders/{self.number}"
        if self.way in ("page", "wap"):
            self.world.open_page(self.number)
        elif self.way == "app":
            self.order_string = self.world.api.post(f"{orders}/app_payment").json()["order_string"]
        elif self.way == "qr":
            code = self.world.api.post(f"{orders}/qr_code").json()["qr_code"]
            assert self.world.browser.get(code).status_code == 200
        else:
            made = self.world.api.post(
                f"{orders}/mini_payment", json={"buyer_id": "2088102168897047"}
            )
            assert made.status_code == 200, made.text

    def pays(self) -> None:
        if self.way == "barcode":
            body = {"auth_code": self.world.emulator.payment_code()}
            answer = self.world.api.post(f"/v1/orders/{self.number}/barcode_payment", json=body)
            assert answer.status_code == 200, answer.text
        elif self.order_string:
            address = f"{self.world.emulator.base_url}/_control/pay"
            body = {"order_string": self.order_string}
            httpx2.post(address, json=body, trust_env=False, verify=False).raise_for_status()
        else:
            self.world.emulator.pay(self.number)


@pytest.mark.parametrize("way", HANDED_OUT)
def test_what_is_paid_too_late_goes_by_the_policy(
    policy_world: tuple[str, World], way: str
) -> None:
    policy, world = policy_world
    world.emulator.clear_faults()
    number = world.order("8.88", way=way)
    buyer = Buyer(world, way, number)
    buyer.is_handed_over()
    world.emulator.set_fault("gateway_20000", method="alipay.trade.close", out_trade_no=number)
    assert world.api.post(f"/v1/orders/{number}/close").json()["status"] == "closing"
    buyer.pays()
    world.advance(120)

    events = world.events(number)
    assert events[0] == "order.paid_late"
    assert "order.paid" not in events
    refunded = policy == "refund"
    assert world.read(number)["status"] == ("refunded" if refunded else "paid")
    assert ("order.surprise" in events) is (policy == "person")
    assert bool(world.emulator.trade(number).refunded) is refunded


@pytest.mark.parametrize("way", [*HANDED_OUT, "barcode"])
def test_a_cart_that_is_paid_twice_goes_by_the_policy(
    policy_world: tuple[str, World], way: str
) -> None:
    policy, world = policy_world
    world.emulator.clear_faults()
    # Paid on the computer's page first, then once more in another way.
    cart = f"cart-{way}"
    first = world.order("8.88", cart_ref=cart)
    second = world.order("8.88", cart_ref=cart, way=way)
    world.pay(first)
    world.settle()
    buyer = Buyer(world, way, second)
    if way != "barcode":
        buyer.is_handed_over()
    buyer.pays()
    world.settle()
    world.advance(60)

    assert world.events(first) == ["order.paid"]
    assert world.events(second)[:2] == ["order.paid", "order.duplicate_payment"]
    refunded = policy == "refund"
    assert world.read(second)["status"] == ("refunded" if refunded else "paid")
    assert ("order.surprise" in world.events(second)) is not refunded
    assert not world.emulator.trade(first).refunded
