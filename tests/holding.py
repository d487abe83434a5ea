"""The hands of a merchant who freezes a buyer's money: for the tests of holds."""

from __future__ import annotations

from typing import Any

from worlds import World


class Numbers:
    """A number for each hold of a run: they may share a world."""

    last = 0


def create(world: World, way: str = "barcode", **fields: Any) -> str:
    Numbers.last += 1
    number = f"H-{Numbers.last}"
    body = {"out_order_no": number, "amount": "500.00", "title": "Deposit", "way": way, **fields}
    answer = world.api.post("/v1/holds", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "created"
    return number


def scan(world: World, number: str, behaviour: str = "pays", **more: Any) -> dict[str, Any]:
    code = world.emulator.payment_code(behaviour, **more)
    answer = world.api.post(f"/v1/holds/{number}/barcode", json={"auth_code": code})
    assert answer.status_code in (200, 202), answer.text
    assert (answer.status_code == 200) == (answer.json()["status"] in ("authorized", "closed"))
    return answer.json()


def frozen(world: World, **fields: Any) -> str:
    """A hold of 500.00 that is authorized."""
    number = create(world, **fields)
    assert scan(world, number)["status"] == "authorized"
    world.settle()
    return number


def read(world: World, number: str) -> dict[str, Any]:
    answer = world.api.get(f"/v1/holds/{number}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def parts(world: World, number: str) -> tuple[str, str, str, str]:
    """What was frozen, taken, let go, and remains; nothing may be under way."""
    shown = read(world, number)["balance"]
    assert (shown["capturing_amount"], shown["releasing_amount"]) == ("0.00", "0.00")
    names = ("frozen", "captured", "released", "remaining")
    return tuple(shown[f"{name}_amount"] for name in names)  # type: ignore[return-value]


def capture(world: World, number: str, amount: str, own: str, **more: Any) -> dict[str, Any]:
    body = {"out_trade_no": own, "amount": amount, "subject": "Room", **more}
    answer = world.api.post(f"/v1/holds/{number}/captures", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()


def release(world: World, number: str, amount: str, own: str) -> dict[str, Any]:
    body = {"out_request_no": own, "amount": amount, "remark": "left"}
    answer = world.api.post(f"/v1/holds/{number}/releases", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()


def told(world: World, number: str) -> list[str]:
    """The events of a hold, in their order."""
    return [
        event.type
        for event in world.events_without_order()
        if event.data.get("hold", {}).get("out_order_no") == number
        or event.data.get("surprise", {}).get("out_trade_no") == number
    ]
