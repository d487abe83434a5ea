"""Metrics: what they tell of a living house, who may read them, and what they cost."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from daozhang.alipay.keys import PrivateKey, PublicKey
from daozhang.money import Money
from daozhang.service.db import Database
from databases import database_url
from refund_world import Weather, open_shop
from signed_world import paid, signed_world
from worlds import World, running

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def world(tmp_path: Path) -> Generator[World]:
    with running(tmp_path) as alive:
        yield alive


def scrape(world: World) -> Samples:
    """Every sample of `/metrics`, by name and labels."""
    return read(world.service.context.settings.public_url)


def read(public_url: str, **headers: str) -> Samples:
    """Every sample of `/metrics`, by name and labels."""
    answer = httpx2.get(
        f"{public_url}/metrics", headers=headers, trust_env=False, verify=False, timeout=60
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    """One sample, 0 if it is not there."""
    return samples.get((f"daozhang_{name}", frozenset(labels.items())), 0.0)


def at_risk(samples: Samples, cause: str) -> dict[str, float]:
    """Minor units of one cause by age, where there are any."""
    return {
        dict(labels)["age"]: amount
        for (name, labels), amount in samples.items()
        if name == "daozhang_money_at_risk_minor_units" and dict(labels)["cause"] == cause
    }


def test_a_payment_is_counted_once_recorded_applied_and_learned(world: World) -> None:
    world.pay(world.order())
    world.settle()
    before = scrape(world)
    assert value(before, "notifications_recorded_total") == 1
    assert value(before, "notifications_applied_total") == 1
    assert value(before, "notifications_difference") == 0
    assert value(before, "payments_learned_total", source="notification") == 1
    assert value(before, "notify_answers_total", answer="success") == 1
    assert value(before, "notification_record_seconds_count") == 1
    world.advance(3600)  # past the moment at which rows pass into the tallies
    after = scrape(world)
    for name in ("notifications_recorded_total", "notifications_applied_total"):
        assert value(after, name) == value(before, name), name
    assert value(after, "payments_learned_total", source="notification") == 1
    assert sum(at_risk(after, "order_overdue").values()) == 0


def test_a_payment_that_is_learned_by_query_is_told_apart(world: World) -> None:
    world.postman.holding = True
    world.pay(world.order())
    world.advance(120)
    samples = scrape(world)
    assert value(samples, "payments_learned_total", source="query") == 1
    assert value(samples, "payments_learned_total", source="notification") == 0
    assert value(samples, "notifications_recorded_total") == 0


def test_what_is_not_believed_is_counted_by_reason(world: World) -> None:
    url = f"{world.service.context.settings.public_url}/alipay/notify/shop"
    answer = httpx2.post(
        url, data={"sign": "bm9uc2Vuc2U=", "notify_id": "1"}, trust_env=False, verify=False
    )
    assert answer.status_code == 400
    world.settle()
    samples = scrape(world)
    reasons = {
        dict(labels)["reason"]: count
        for (name, labels), count in samples.items()
        if name == "daozhang_notifications_refused_total"
    }
    assert sum(reasons.values()) == 1
    assert value(samples, "notify_answers_total", answer="refused") == 1


def test_a_payment_without_an_order_is_at_risk_then_a_surprise_in_fen(tmp_path: Path) -> None:
    with signed_world(tmp_path) as world:
        world.tell(paid("nobodys", total_amount="12.34"))
        world.pass_time(600)
        samples = read(world.context.settings.public_url)
        assert value(samples, "notifications_waiting", status="waiting") == 1
        assert value(samples, "notifications_difference") == 1
        assert value(samples, "notification_oldest_seconds", status="waiting") == 600
        assert at_risk(samples, "notification_not_applied") == {"5m_to_1h": 1234}
        world.pass_time(3600)
        samples = read(world.context.settings.public_url)
        surprise = {
            "reason": "payment_without_order",
            "environment": "emulator",
            "currency": "CNY",
        }
        assert value(samples, "surprises_open", **surprise) == 1
        assert value(samples, "surprises_open_minor_units", **surprise) == 1234
        assert at_risk(samples, "surprise_open") == {"5m_to_1h": 1234}
        assert at_risk(samples, "notification_not_applied") == {}  # it is counted once
        assert value(samples, "notifications_surprised") == 1
        assert value(samples, "notifications_difference") == 0
        world.create("nobodys", amount="12.34")
        world.pass_time(60)
        samples = read(world.context.settings.public_url)
        assert value(samples, "notifications_difference") == 0
        assert value(samples, "notifications_applied_total") == 1
        assert value(samples, "notification_apply_seconds_count") == 1


def test_copies_beyond_what_alipay_sends_are_told(tmp_path: Path) -> None:
    with signed_world(tmp_path) as world:
        world.create("A-1")
        world.create("A-2")
        for number, times in (("A-1", 9), ("A-2", 8)):
            for _ in range(times):
                world.tell(paid(number))
        samples = read(world.context.settings.public_url)
        assert value(samples, "notification_copies_max") == 9
        assert value(samples, "notifications_copied_often") == 1
        world.pass_time(86_401)
        samples = read(world.context.settings.public_url)
        assert value(samples, "notification_copies_max") == 0


def test_a_refund_of_unknown_outcome_is_money_at_risk_until_it_is_proven(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        url = shop.service.context.settings.public_url
        number = shop.paid_order()
        shop.gateway.weather = [Weather.LATE_ANSWER]
        shop.gateway.questions_lost = 1
        assert shop.refund(number, Money.parse("3.00"), "R-1").status_code == 201
        shop.pass_time(0)
        assert at_risk(read(url), "refund_unknown") == {"under_5m": 300}
        shop.pass_time(3600)
        assert shop.the_refund(number)["status"] == "succeeded"
        assert at_risk(read(url), "refund_unknown") == {}


def test_an_order_of_which_nothing_is_proven_after_its_time_is_at_risk(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:  # its gateway answers no trade query
        body = {"out_trade_no": "A-1", "amount": "8.00", "subject": "Tea"}
        assert shop.api.post("/v1/orders", json=body).status_code == 201
        url = shop.service.context.settings.public_url
        shop.pass_time(1800 + 120 + 590)
        assert at_risk(read(url), "order_overdue") == {}
        shop.pass_time(20)
        samples = read(url)
        assert at_risk(samples, "order_overdue") == {"5m_to_1h": 800}
        assert value(samples, "orders_open") == 1
        assert value(samples, "orders_unwatched") == 0
        with shop.service.context.database.begin() as tx:
            tx.execute(sa.text("UPDATE orders SET next_query_at = NULL"))
        assert value(read(url), "orders_unwatched") == 1


def test_keys_are_told_by_fingerprint(world: World) -> None:
    given = world.emulator.credentials("shop")
    own = PrivateKey.load(given["app_private_key_pkcs1"]).fingerprint
    alipay = PublicKey.load(given["alipay_public_key"]).fingerprint
    told = {
        dict(labels)["kind"]: dict(labels)["fingerprint"]
        for name, labels in scrape(world)
        if name == "daozhang_key_info"
    }
    assert told == {"app_key": own, "alipay_key": alipay}


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_a_stranger_behind_a_proxy_reads_nothing(world: World, header: str) -> None:
    url = world.service.context.settings.public_url
    answer = httpx2.get(
        f"{url}/metrics", headers={header: "203.0.113.9"}, trust_env=False, verify=False
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "metrics_refused")
    assert "daozhang_" not in answer.text


def test_with_a_token_only_the_token_counts(tmp_path: Path) -> None:
    token = "a-token-of-sixteen-or-more"
    with signed_world(tmp_path, metrics_token=token) as world:
        url = world.context.settings.public_url
        assert read(url, Authorization=f"Bearer {token}", **{"X-Forwarded-For": "203.0.113.9"})
        for given in ("", "Bearer", f"Bearer {token}x", token[:-1]):
            headers = {"Authorization": given}
            answer = httpx2.get(f"{url}/metrics", headers=headers, trust_env=False, verify=False)
            assert answer.status_code == 403, given


def test_a_process_that_is_told_to_stop_leaves_its_counts(tmp_path: Path) -> None:
    with signed_world(tmp_path) as world:
        world.create("A-1")
        world.tell(paid("A-1"))
    # The world has stopped, and nobody has looked at the clock since the answer.
    database = Database(database_url(tmp_path))
    with database.read() as tx:
        counted = tx.execute(
            sa.text("SELECT value FROM watch_tallies WHERE name = 'notify_answers'")
        ).scalars()
        assert list(counted) == [1]
    database.dispose()
