"""A code that the buyer scans: made for an order, drawn, scanned, paid; and what can go wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest

from daozhang.emulator.ledger import Product
from worlds import World


@pytest.fixture
def world(shared_world: World) -> World:
    """Each test has orders of its own."""
    return shared_world


def code_of(world: World, number: str) -> dict[str, Any]:
    made = world.api.post(f"/v1/orders/{number}/qr_code")
    assert made.status_code == 200, made.text
    return made.json()


def test_a_buyer_scans_and_pays(world: World) -> None:
    number = world.order(way="qr", operator_id="till-7")
    code = code_of(world, number)
    assert code["qr_code"].startswith(world.emulator.base_url)

    # Nobody has scanned: Alipay has no such trade, which is no failure.
    world.advance(60)
    assert world.read(number)["status"] == "created"
    assert world.events(number) == []
    # Made again, before and after the scan, it is the same order.
    code = code_of(world, number)
    assert world.browser.get(code["qr_code"]).status_code == 200
    world.advance(5)
    assert world.read(number)["status"] == "waiting"
    code_of(world, number)

    world.emulator.pay(number)
    world.settle()
    assert world.emulator.trade(number).request.product is Product.QR
    assert world.events(number) == ["order.paid"]
    again = world.api.post(f"/v1/orders/{number}/qr_code")
    assert (again.status_code, again.json()["reason"]) == (409, "already_paid")


def test_the_picture_of_a_code(world: World) -> None:
    code = code_of(world, world.order(way="qr"))
    svg = httpx2.get(code["svg_url"], trust_env=False, verify=False)
    assert svg.headers["content-type"] == "image/svg+xml"
    assert svg.text.lstrip().startswith("<?xml")
    assert "<script" not in svg.text
    png = httpx2.get(code["png_url"], params={"module": 4}, trust_env=False, verify=False)
    assert png.headers["content-type"] == "image/png"
    assert png.content.startswith(b"\x89PNG")
    # Only what this service has signed is drawn.
    spoiled = code["svg_url"].replace("/qr/e", "/qr/f")
    refused = httpx2.get(spoiled, trust_env=False, verify=False)
    assert (refused.status_code, refused.json()["code"]) == (404, "qr_picture_not_found")
    assert (
        httpx2.get(f"{code['svg_url'][:-3]}gif", trust_env=False, verify=False).status_code == 422
    )
    world.clock.advance(3 * 3600)
    gone = httpx2.get(code["png_url"], trust_env=False, verify=False)
    assert (gone.status_code, gone.json()["code"]) == (404, "qr_picture_not_found")
    assert "expired" in gone.json()["detail"]


def test_a_code_lives_two_hours_whatever_its_order(world: World) -> None:
    made_at = world.clock.now().replace(microsecond=0)
    number = world.order(way="qr", expires_at=(made_at + timedelta(hours=9)).isoformat())
    code = code_of(world, number)
    lives = datetime.fromisoformat(code["expires_at"]) - made_at
    assert timedelta(hours=2) <= lives < timedelta(hours=2, seconds=2)
    world.advance(2 * 3600 + 60)
    page = world.browser.get(code["qr_code"])
    assert "ACQ.TRADE_HAS_CLOSE" in page.text
    assert world.read(number)["status"] == "created"
    # A new code for the same order can be paid.
    world.browser.get(code_of(world, number)["qr_code"])
    world.emulator.pay(number)
    world.settle()
    assert world.read(number)["status"] == "paid"


def test_a_payment_whose_notification_is_lost_is_known_within_seconds(world: World) -> None:
    number = world.order(way="qr")
    world.emulator.set_fault("notify_never", out_trade_no=number)
    world.browser.get(code_of(world, number)["qr_code"])
    world.emulator.pay(number)
    assert world.read(number)["status"] == "created"
    world.advance(5)
    assert world.read(number)["status"] == "paid"
    assert world.events(number) == ["order.paid"]


def test_a_buyer_who_walks_away(world: World) -> None:
    scanned, unseen = world.order(way="qr"), world.order(way="qr")
    world.browser.get(code_of(world, scanned)["qr_code"])
    code_of(world, unseen)
    assert world.api.post(f"/v1/orders/{scanned}/close").json()["status"] == "closed"
    # What nobody scanned cannot be closed at Alipay, and its code stays payable: it is closed once
    # Alipay has said twice, after expiry and grace, that there is no such trade.
    assert world.api.post(f"/v1/orders/{unseen}/close").json()["status"] == "closing"
    assert world.api.post(f"/v1/orders/{unseen}/qr_code").json()["reason"] == "closed"
    world.advance(1800 + 600)
    assert world.read(unseen)["status"] == "closed"
    assert world.events(unseen) == ["order.closed"]


def test_alipays_no_is_said_in_both_languages(world: World) -> None:
    number = world.order(way="qr")
    world.emulator.set_fault("gateway_20000", out_trade_no=number, times=1)
    unknown = world.api.post(f"/v1/orders/{number}/qr_code")
    assert (unknown.status_code, unknown.json()["code"]) == (503, "qr_code_not_made")
    assert "不会扣款" in unknown.json()["detail_zh"]
    code_of(world, number)
    world.emulator.set_fault("notify_never")
    world.browser.get(code_of(world, number)["qr_code"])
    world.emulator.pay(number)
    refused = world.api.post(f"/v1/orders/{number}/qr_code")
    assert (refused.status_code, refused.json()["code"]) == (409, "qr_code_refused")
    assert refused.json()["alipay_code"] == "ACQ.TRADE_HAS_SUCCESS"
    assert "请先不要交付商品" in refused.json()["detail_zh"]
    # A code was wanted, so Alipay is asked soon, and says that it is paid.
    world.advance(5)
    assert world.events(number) == ["order.paid"]


@pytest.mark.parametrize("way", ["page", "barcode"])
def test_what_belongs_to_a_code_is_refused_for_another_way(world: World, way: str) -> None:
    refused = world.api.post(f"/v1/orders/{world.order(way=way)}/qr_code")
    assert (refused.status_code, refused.json()["code"]) == (409, "way_differs")
