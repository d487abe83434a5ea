"""What Alipay will pay out and when: forecast from the ledger, and what then comes in the emulator."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from daozhang.emulator.accounts import Pot
from daozhang.emulator.switches import Switches
from daozhang.money import Money
from daozhang.service.ledger.configuring import set_book_as
from daozhang.service.ledger.model import Payout
from people_here import add_person
from reconciling import morning_after, pay, seller, to_hour
from worlds import World, running


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop that is paid out the next working day, on a Thursday at ten in the morning."""
    with running(tmp_path_factory.mktemp("world"), chosen={"fetch_bills": True}) as made:
        _paid_out_later(made, days=3)
        yield made


def _paid_out_later(world: World, *, days: int) -> None:
    to_hour(world, 10, days=days)
    switch(world, settlement_days=1)
    owner = add_person(world.service.context, "owner")
    set_book_as(world.service.context, owner, 1, payout=Payout.LATER, fee_ppm=6000)


def switch(world: World, **chosen: Any) -> None:
    app = world.emulator.credentials("shop")["app_id"]
    world.emulator.desk.set_switches(app, Switches(**chosen))


def payouts(world: World) -> dict[str, Any]:
    """What is expected, of which the lines and the days make what the ledger holds."""
    answer = world.api.get("/v1/ledger/payouts")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    held = world.api.get("/v1/ledger/balances").json()["balances"]
    for account in ("available", "unsettled", "frozen", "withdrawal_in_transit"):
        assert told[account] == held[account]
    for lines, account in (
        ("days", "unsettled"),
        ("unsettled_lines", "unsettled"),
        ("frozen_lines", "frozen"),
    ):
        assert total(told[lines]) == Money.parse(held[account]), lines
    assert total(told["unsettled_lines"], "estimated_fee") == Money.parse(told["estimated_fee"])
    return told


def total(lines: list[dict[str, Any]], name: str = "amount") -> Money:
    return Money.total(Money.parse(line[name]) for line in lines)


def lines(told: dict[str, Any]) -> list[tuple[Any, ...]]:
    names = ("paid_on", "amount", "order_count", "estimated_fee", "pays_out_on", "state")
    return [tuple(line[name] for name in names) for line in told["unsettled_lines"]]


def test_what_is_expected_comes_on_its_day(world: World) -> None:
    assert payouts(world)["unsettled_lines"] == []
    pay(world, "100.00")
    number = pay(world, "40.00")
    world.advance(60)
    world.refund(number, "15.00", "R-1")
    world.advance(60)
    told = payouts(world)
    assert (told["payout"], told["payout_days"]) == ("later", 1)
    assert lines(told) == [("2026-03-05", "125.00", 2, "0.75", "2026-03-06", "expected")]
    assert told["calendar"]["known_through"] == "2026-12-31"
    assert "国办发明电" in told["calendar"]["sources"]["2026"]

    # Friday: Thursday's money is in the account, and its bill comes tomorrow; today's comes on Monday.
    to_hour(world, 10, days=1)
    pay(world, "10.00")
    world.settle()
    told = payouts(world)
    assert lines(told) == [
        ("2026-03-05", "125.00", 2, "0.75", "2026-03-06", "expected"),
        ("2026-03-06", "10.00", 1, "0.06", "2026-03-09", "expected"),
    ]
    assert [(day["day"], day["amount"]) for day in told["days"]] == [
        ("2026-03-06", "125.00"),
        ("2026-03-09", "10.00"),
    ]
    to_hour(world, 1, days=1)
    assert lines(payouts(world))[0][-1] == "awaiting_bill"
    to_hour(world, 10)
    world.settle()
    told = payouts(world)
    assert lines(told) == [("2026-03-06", "10.00", 1, "0.06", "2026-03-09", "expected")]
    # There the fee is off what waits already; here it is an estimate, and in no sum.
    unsettled = world.emulator.desk.account.balance(seller(world), Pot.UNSETTLED)
    assert unsettled == Money.parse(told["unsettled"]) - Money.parse(told["estimated_fee"])


def test_what_does_not_come_on_its_day_is_late(world: World) -> None:
    switch(world, settlement_days=3)
    pay(world, "100.00")
    morning_after(world)  # Friday
    pay(world, "1.00")  # so that there is a bill
    morning_after(world)
    told = payouts(world)
    assert lines(told) == [
        ("2026-03-05", "100.00", 1, "0.60", "2026-03-06", "late"),
        ("2026-03-06", "1.00", 1, "0.01", "2026-03-09", "expected"),
    ]


def test_a_year_whose_holidays_are_not_known_is_not_guessed(tmp_path: Path) -> None:
    with running(tmp_path) as world:  # nobody fetches the bills of 300 days
        _paid_out_later(world, days=303)  # the 30th of December
        pay(world, "20.00")
        to_hour(world, 10, days=1)
        pay(world, "30.00")
        told = payouts(world)
    assert lines(told) == [
        ("2026-12-30", "20.00", 1, "0.12", "2026-12-31", "expected"),
        ("2026-12-31", "30.00", 1, "0.18", None, "unknown"),
    ]
    assert told["days"][-1] == {"day": None, "amount": "30.00", "estimated_fee": "0.18"}
    assert told["calendar"]["unknown_years"] == [2027]


def test_what_is_to_be_shared_is_frozen_and_says_so(world: World) -> None:
    number = world.order("50.00", pay_options={"royalty_freeze": True})
    world.pay(number)
    world.settle()
    told = payouts(world)
    assert told["frozen_lines"] == [
        {
            "origin": "payments",
            "held_for": "sharing",
            "paid_on": "2026-03-05",
            "amount": "50.00",
            "order_count": 1,
            "released_by": "2026-04-04",
        }
    ]
    assert told["unsettled_lines"] == []
