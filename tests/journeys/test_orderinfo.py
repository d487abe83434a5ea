"""What became of an order is told to Alipay, once, and only of what was paid."""

from __future__ import annotations

from typing import Any

import httpx2

from worlds import World

SYNC = "alipay.trade.orderinfo.sync"


def tell(world: World, number: str, **changes: Any) -> httpx2.Response:
    body = {"out_request_no": "S1", "status": "COMPLETE", **changes}
    return world.api.post(f"/v1/orders/{number}/orderinfo", json=body)


def test_what_became_of_a_paid_order_is_told_once(shared_world: World) -> None:
    world = shared_world
    number = world.order()
    early = tell(world, number)
    assert (early.status_code, early.json()["code"]) == (409, "orderinfo_refused")
    assert "尚未付款" in early.json()["detail_zh"]
    world.open_page(number)
    world.api.post(f"/v1/orders/{number}/query")
    unpaid = tell(world, number).json()
    assert (unpaid["code"], unpaid["alipay_code"]) == (
        "orderinfo_refused",
        "ACQ.NOTIFY_STATUS_INVALID",
    )
    world.emulator.pay(number)
    world.settle()
    world.emulator.set_fault("gateway_timeout_after_success", method=SYNC, times=1, seconds=0)
    unknown = tell(world, number)
    assert (unknown.status_code, unknown.json()["code"]) == (503, "orderinfo_unknown")
    told = tell(world, number, status="VIOLATED").json()
    trade_no = world.read(number)["trade_no"]
    assert (told["object"], told["trade_no"]) == ("orderinfo", trade_no)
    # The first word under a number stays, as at Alipay.
    known = world.emulator.desk.orderinfo
    assert known == {(trade_no, "S1"): 'CREDIT_AUTH {"status":"COMPLETE"}'}
    assert tell(world, number, status="LOST").status_code == 422
    assert world.events(number) == ["order.paid"]
