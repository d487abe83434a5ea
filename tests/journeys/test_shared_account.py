"""Several merchants on one Alipay account: one bill, one ledger, and each keeps its own orders."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import pytest

from daozhang.clock import business_day
from daozhang.emulator.identity import IdentityProblem
from daozhang.money import Money
from daozhang.service.closing.cases import CaseDesk
from daozhang.service.closing.model import CaseStatus
from daozhang.service.people.model import Role
from daozhang.service.people.refusals import MerchantNotYours
from daozhang.service.reconciliation.model import MismatchClass
from people_here import add_person
from reconciling import mismatches, morning_after
from shops import Shop, three_shops
from worlds import World


@pytest.fixture
def shops(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[World, list[Shop]]]:
    """Three merchants; the first two share an account."""
    with three_shops(tmp_path_factory.mktemp("world")) as made:
        yield made


def pay(world: World, shop: Shop, number: str, amount: str) -> None:
    """An order of that shop that is paid."""
    body = {"out_trade_no": number, "amount": amount, "subject": "茶"}
    made = shop.api.post("/v1/orders", json=body)
    assert made.status_code == 201, made.text
    assert world.browser.get(made.json()["pay_url"]).status_code == 200
    world.emulator.pay(number, app_id=shop.app_id)
    world.settle()


def test_what_only_the_bill_tells_is_booked_for_the_merchant_whose_order_it_is(
    shops: tuple[World, list[Shop]],
) -> None:
    world, (shop, till, market) = shops
    assert shop.seller_id == till.seller_id != market.seller_id
    day = business_day(world.clock.now())
    pay(world, shop, "A-1", "30.00")
    pay(world, till, "B-1", "50.00")
    world.emulator.set_fault("notify_never", out_trade_no="B-1")
    world.emulator.refund("B-1", Money(2000), "R-CENTRE", app_id=till.app_id)
    morning_after(world)

    found = {(one.mismatch, one.key): one for one in mismatches(world, day)}
    case = found.pop((MismatchClass.MISSING_HERE, "refund:B-1:R-CENTRE"))
    assert [key for _, key in found] == ["balance"]  # the account bill is off by the same
    assert (case.merchant_id, case.theirs_minor) == (till.merchant.id, -2000)

    # Dealt with where the account's other merchant is looked at, by somebody who works for both.
    desk = CaseDesk(world.service.inquirer, world.service.reconciler)
    one = add_person(world.service.context, "one", Role.FINANCE)
    only_shop = replace(one, merchants=frozenset({shop.merchant.id}))
    with pytest.raises(MerchantNotYours):
        desk.ask(only_shop, shop.merchant, case.public_id)
    settled = desk.ask(one, shop.merchant, case.public_id)
    assert (settled.status, settled.mismatch.resolution) == (CaseStatus.SETTLED, "agrees")
    assert till.api.get("/v1/orders/B-1").json()["refunded_amount"] == "20.00"
    assert shop.api.get("/v1/orders/B-1").status_code == 404
    assert mismatches(world, day) == []


def test_an_app_stays_with_its_seller(shops: tuple[World, list[Shop]]) -> None:
    world, _ = shops
    with pytest.raises(IdentityProblem, match="seller"):
        world.emulator.credentials("market", seller_of="shop")
