"""What an API key moves or sets up stands in the trail under its name; what is many does not."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from daozhang.service.audit.actions import verify_chain
from daozhang.service.audit.store import list_entries
from people_here import deeds
from refund_world import Shop, open_shop


@pytest.fixture
def shop(tmp_path: Path) -> Generator[Shop]:
    with open_shop(tmp_path) as shop:
        yield shop


def of_the_key(shop: Shop) -> list[str]:
    return [deed for who, deed in deeds(shop.service.context) if who == "api_key:1"]


def test_orders_and_notifications_write_no_row(shop: Shop) -> None:
    before = deeds(shop.service.context)
    shop.paid_order()
    assert deeds(shop.service.context) == before


def test_a_refund_is_written_down_once_however_often_it_is_asked_for(shop: Shop) -> None:
    number = shop.paid_order()
    for _ in range(2):
        body = {"amount": "1.00", "out_request_no": "r1"}
        assert shop.api.post(f"/v1/orders/{number}/refunds", json=body).is_success
    assert of_the_key(shop) == ["refund.requested"]
    with shop.service.context.database.read() as tx:
        (row,) = list_entries(tx, rows_max=1)
    assert (row.actor.name, row.subject, row.merchant_id) == ("test", f"order:{number}", 1)
    assert row.detail == {"out_request_no": "r1", "amount": "1.00", "requested_by": "api_key:1"}
    too_much = {"amount": "99.00", "out_request_no": "r2"}
    assert shop.api.post(f"/v1/orders/{number}/refunds", json=too_much).is_client_error
    assert of_the_key(shop) == ["refund.requested"]


def test_a_close_and_the_switch_are_written_down(shop: Shop) -> None:
    body = {"out_trade_no": "c-1", "amount": "1.00", "subject": "Tea"}
    assert shop.api.post("/v1/orders", json=body).status_code == 201
    assert shop.api.post("/v1/orders/c-1/close").is_success
    for allowed in (False, False, True):
        turn = {"allowed": allowed, "reason": "audit"}
        assert shop.api.patch("/v1/outgoing", json=turn).is_success
    assert of_the_key(shop) == ["order.close_asked", "outgoing.stopped", "outgoing.allowed"]


def test_endpoints_are_written_down_and_their_secrets_are_not(shop: Shop) -> None:
    wanted = {"url": "https://example.com/hook"}
    added = shop.api.post("/v1/webhook_endpoints", json=wanted).json()
    here = f"/v1/webhook_endpoints/{added['id']}"
    assert shop.api.patch(here, json={"description": "shop"}).is_success
    assert shop.api.post(f"{here}/pause").is_success
    assert shop.api.post(f"{here}/resume").is_success
    assert shop.api.post(f"{here}/rotate_secret", json={}).is_success
    assert shop.api.delete(here).is_success
    assert of_the_key(shop) == [
        "webhook.added",
        "webhook.changed",
        "webhook.paused",
        "webhook.resumed",
        "webhook.secret_rotated",
        "webhook.removed",
    ]
    with shop.service.context.database.read() as tx:
        rows = list_entries(tx, rows_max=100)
    assert added["secret"] not in str(rows)
    assert verify_chain(shop.service.context.database).broken is None
