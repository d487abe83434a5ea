"""Money at risk over HTTP: the figures of the metrics, of one merchant, with the things behind."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import httpx2

from daozhang.money import Money
from daozhang.service.auth.model import Scope
from daozhang.service.merchants.store import list_merchants
from deployment import add_one_merchant, make_key
from refund_world import Weather, open_shop
from signed_world import SLUG, paid, signed_world


def test_a_refund_in_doubt_leads_to_its_order_and_its_refunds(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        assert shop.api.get("/v1/money_at_risk").json()["sums"] == []
        number = shop.paid_order()
        shop.gateway.weather = [Weather.LATE_ANSWER]
        shop.gateway.questions_lost = 1
        assert shop.refund(number, Money.parse("3.00"), "R-1").status_code == 201
        shop.pass_time(0)
        answer = shop.api.get("/v1/money_at_risk").json()
        assert answer["environment"] == "emulator"
        assert answer["sums"] == [
            {
                "cause": "refund_unknown",
                "age": "under_5m",
                "amount": "3.00",
                "currency": "CNY",
                "count": 1,
            }
        ]
        (item,) = answer["data"]
        assert (item["out_trade_no"], item["out_request_no"]) == (number, "R-1")
        assert datetime.fromisoformat(item["since"]) == shop.clock.now()
        assert shop.api.get(item["order_url"]).json()["out_trade_no"] == number
        assert shop.api.get(item["story_url"]).status_code == 200
        assert len(shop.api.get(item["refunds_url"]).json()["data"]) == 1
        shop.pass_time(3600)
        answer = shop.api.get("/v1/money_at_risk").json()
        assert (answer["sums"], answer["data"]) == ([], [])


def test_what_somebody_paid_for_no_order_has_no_address_but_an_amount(tmp_path: Path) -> None:
    with signed_world(tmp_path) as world:
        world.tell(paid("nobodys", total_amount="12.34"))
        world.pass_time(4000)
        answer = world.api.get("/v1/money_at_risk").json()
        (item,) = answer["data"]
        assert item["cause"] == "surprise_open"
        assert (item["amount"], item["detail"]) == ("12.34", "payment_without_order")
        assert (item["out_trade_no"], item["order_url"], item["story_url"]) == (
            "nobodys",
            None,
            None,
        )


def test_another_merchants_money_is_not_told_and_a_scope_is_asked_for(tmp_path: Path) -> None:
    with signed_world(tmp_path) as world:
        world.tell(paid("nobodys", total_amount="12.34"))
        world.pass_time(4000)
        other = add_one_merchant(world.context, "other", seller_id="2088000000000002")
        with world.context.database.read() as tx:
            own = next(one for one in list_merchants(tx) if one.slug == SLUG)
        told = {
            (merchant.slug, scope): httpx2.get(
                f"{world.context.settings.public_url}/v1/money_at_risk",
                headers={
                    "Authorization": f"Bearer {make_key(world.context, merchant, scopes=(scope,))}"
                },
                trust_env=False,
                verify=False,
            )
            for merchant in (own, other)
            for scope in (Scope.ORDERS_READ, Scope.EVENTS_READ)
        }
        assert len(told["shop", Scope.ORDERS_READ].json()["data"]) == 1
        assert told["other", Scope.ORDERS_READ].json()["data"] == []
        assert told["other", Scope.ORDERS_READ].json()["sums"] == []
        assert told["shop", Scope.EVENTS_READ].status_code == 403
