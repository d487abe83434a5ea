"""The hands of a merchant who shares payments with others: for the tests of sharing."""

from __future__ import annotations

from typing import Any

from daozhang.emulator.switches import changed
from daozhang.service.ledger.model import Account
from daozhang.service.ledger.reading import book_of
from daozhang.service.ledger.store import list_of_order
from worlds import World, find_order

AGENCY, COURIER, LANDLORD = "2088100000000001", "2088100000000002", "2088100000000003"


def switch(world: World, **switches: Any) -> None:
    """How Alipay behaves towards the shop from now on."""
    app_id, desk = world.emulator.credentials("shop")["app_id"], world.emulator.desk
    desk.set_switches(app_id, changed(desk.switches(app_id), switches))


def ready(world: World) -> None:
    """Everybody can be a receiver, two of them are bound, and the shop shares as most shops do."""
    for account in (AGENCY, COURIER, LANDLORD):
        world.emulator.set_receiver(account)
    gateway = f"{world.service.context.settings.public_url}/alipay/notify/shop"
    switch(world, royalty_percent=30, direct_pay=False, gateway_url=gateway)
    world.api.put("/v1/sharing", json={})
    bind(world, AGENCY, COURIER)


def bind(world: World, *accounts: str) -> None:
    for account in accounts:
        answer = world.api.post("/v1/sharing/receivers", json={"account": account})
        assert answer.status_code in (200, 201), answer.text
    world.settle()
    standing = {one["account"]: one["status"] for one in receivers(world)}
    assert {standing[account] for account in accounts} == {"bound"}


def receivers(world: World) -> list[dict[str, Any]]:
    return world.api.get("/v1/sharing/receivers").json()["data"]


def plan(world: World, name: str, *parts: dict[str, Any], **more: Any) -> None:
    answer = world.api.put(f"/v1/sharing/plans/{name}", json={"parts": list(parts), **more})
    assert answer.status_code == 200, answer.text


def paid(world: World, amount: str = "100.00", **fields: Any) -> str:
    number = world.order(amount, **fields)
    world.pay(number)
    world.settle()
    return number


def share(world: World, number: str, own: str, *parts: tuple[str, str], **more: Any) -> Any:
    listed = [{"account": account, "amount": amount} for account, amount in parts]
    body = {"out_request_no": own, "shares": listed, **more}
    return world.api.post(f"/v1/orders/{number}/shares", json=body)


def shared(world: World, number: str, own: str, *parts: tuple[str, str], **more: Any) -> None:
    """Shares, and lets what is due at this moment happen."""
    answer = share(world, number, own, *parts, **more)
    assert answer.status_code == 201, answer.text
    world.settle()


def rounds(world: World, number: str) -> list[dict[str, Any]]:
    return world.api.get(f"/v1/orders/{number}/shares").json()["data"]


def standing(world: World, number: str) -> list[tuple[str, str, str, str]]:
    """Of each share: whose, how much, how it stands, and what came back."""
    return [
        (one["account"], one["amount"], one["status"], one["returned_amount"])
        for round_ in rounds(world, number)
        for one in round_["shares"]
    ]


def sums(world: World, number: str) -> tuple[str, str, str, str]:
    """What of the order is refunded, reserved, shared, and left."""
    order = world.read(number)
    names = ("refunded", "reserved", "shared", "refundable")
    return tuple(order[f"{name}_amount"] for name in names)  # type: ignore[return-value]


def code_of(answer: Any) -> str:
    assert answer.status_code in (403, 404, 409, 422), answer.text
    assert answer.json()["detail_zh"]
    return answer.json()["code"]


def booked(world: World, number: str) -> dict[Account, int]:
    """What the books have of an order, by account: debits above zero."""
    with world.service.context.database.read() as tx:
        held: dict[Account, int] = {}
        for posted in list_of_order(tx, book_of(tx, 1), find_order(tx, number)):
            minor = posted.move.amount.minor
            held[posted.move.debit] = held.get(posted.move.debit, 0) + minor
            held[posted.move.credit] = held.get(posted.move.credit, 0) - minor
    return held


def refund(world: World, number: str, amount: str, own: str, **more: Any) -> Any:
    body = {"amount": amount, "out_request_no": own, **more}
    return world.api.post(f"/v1/orders/{number}/refunds", json=body)
