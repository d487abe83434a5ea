"""The hands of a merchant and a buyer who agree on payments each period: for the tests of agreements."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import httpx2

from daozhang.clock import business_day
from worlds import World

PRICE = "30.00"


class Numbers:
    """A number for each agreement of a run: they may share a world."""

    last = 0


FIRST_ON: dict[str, date] = {}
"""The first planned day of each agreement."""


def today(world: World) -> date:
    return business_day(world.clock.now())


def create(world: World, *, ahead: int = 10, plan: bool = True, **fields: Any) -> dict[str, Any]:
    """An agreement whose first planned day is ``ahead`` days from now, every 7 days."""
    Numbers.last += 1
    number, first_on = f"E-{Numbers.last}", today(world) + timedelta(days=ahead)
    FIRST_ON[number] = first_on
    rule = {
        "period_type": "DAY",
        "period": 7,
        "first_on": first_on.isoformat(),
        "single_amount": PRICE,
    }
    body = {
        "external_agreement_no": number,
        "sign_scene": "INDUSTRY|DIGITAL_MEDIA",
        "rule": rule,
        "metadata": {"member": "8"},
        **({"plan": {"amount": PRICE, "subject": "Membership"}} if plan else {}),
        **fields,
    }
    answer = world.api.post("/v1/agreements", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "created"
    return answer.json()


def number_of(number: str, nth: int = 1, *, period: int = 1) -> str:
    """The number of the ``nth`` try to charge that period of an agreement that `create` has made."""
    day = FIRST_ON[number] + timedelta(days=7 * (period - 1))
    return f"{number}-{day:%Y%m%d}-{nth}"


def open_page(world: World, made: dict[str, Any]) -> None:
    """The buyer follows our address to Alipay's page."""
    with httpx2.Client(trust_env=False, verify=False, follow_redirects=True) as browser:
        page = browser.get(made["sign_url"])
    assert page.status_code == 200
    assert made["external_agreement_no"] in page.text


def signed(world: World, **fields: Any) -> str:
    made = create(world, **fields)
    open_page(world, made)
    number = made["external_agreement_no"]
    world.emulator.agree(number)
    world.settle()
    assert read(world, number)["status"] == "active"
    with httpx2.Client(trust_env=False, verify=False) as browser:
        again = browser.get(made["sign_url"])
    assert (again.status_code, "此协议已签约" in again.text) == (410, True)
    return number


def read(world: World, number: str) -> dict[str, Any]:
    answer = world.api.get(f"/v1/agreements/{number}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def tries(world: World, number: str) -> list[tuple[str, str]]:
    return [(d["out_trade_no"], d["status"]) for d in read(world, number)["deductions"]]


def told(world: World, number: str) -> list[str]:
    """The events of an agreement, in their order."""
    return [
        event.type
        for event in world.events_without_order()
        if event.data.get("agreement", {}).get("external_agreement_no") == number
        or event.data.get("surprise", {}).get("out_trade_no") == number
    ]


def to_the_try(world: World, number: str) -> None:
    """Time goes on until the next charge was tried, and what it left is settled."""
    at = datetime.fromisoformat(read(world, number)["next_try_at"])
    world.advance((at - world.clock.now()).total_seconds() + 60)


def charged(world: World, number: str) -> list[str]:
    """What the buyer has really paid by an agreement, at Alipay."""
    return [
        trade.out_trade_no
        for trade in world.emulator.trades
        if trade.out_trade_no.startswith(f"{number}-") and trade.paid_at is not None
    ]
