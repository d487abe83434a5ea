"""Direct pay in the books: a confirmation is a promise; what has arrived the account bill tells."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest

from daozhang.clock import business_day
from daozhang.emulator.switches import Switches
from daozhang.service.ledger.configuring import set_book_as
from daozhang.service.ledger.model import Payout
from people_here import add_person
from reconciling import mismatches, morning_after, pay, run_of, seller, to_hour
from sharing import code_of
from worlds import World, running


@pytest.fixture
def world(tmp_path: Path) -> Generator[World]:
    """A shop of direct pay, on a Thursday at ten in the morning; its book says that it is paid out later."""
    with running(tmp_path, chosen={"fetch_bills": True}) as made:
        to_hour(made, 10, days=3)
        app = made.emulator.credentials("shop")["app_id"]
        made.emulator.desk.set_switches(app, Switches(direct_pay=True, settlement_days=1))
        owner = add_person(made.service.context, "owner")
        set_book_as(made.service.context, owner, 1, payout=Payout.LATER, fee_ppm=6000)
        assert made.api.put("/v1/sharing", json={"direct_pay": True}).status_code == 200
        yield made


def balances(world: World) -> tuple[str, str]:
    held = world.api.get("/v1/ledger/balances").json()["balances"]
    return held["unsettled"], held["available"]


def test_what_is_confirmed_arrives_with_the_account_bill_of_its_day(world: World) -> None:
    number, kept = pay(world, "100.00"), pay(world, "40.00")
    world.settle()
    thursday = business_day(world.service.context.clock.now())
    assert balances(world) == ("140.00", "0.00")
    morning_after(world)
    assert run_of(world, thursday)
    assert balances(world)[0] == "140.00"
    morning_after(world)
    # T+1 is over: but nobody has confirmed anything, so nothing of it is late.
    (line,) = world.api.get("/v1/ledger/payouts").json()["unsettled_lines"]
    names = ("paid_on", "amount", "order_count", "pays_out_on", "state")
    told = [line[name] for name in names]
    assert told == [thursday.isoformat(), "140.00", 2, None, "awaiting_confirmation"]

    body = {"out_request_no": "B-1"}
    assert world.api.post(f"/v1/orders/{number}/settlements", json=body).status_code == 201
    world.settle()
    told = world.api.get(f"/v1/orders/{number}/settlements").json()["data"]
    assert [one["status"] for one in told] == ["confirmed"]
    assert balances(world)[0] == "140.00"  # a promise posts nothing

    for _ in range(3):  # Monday's bill comes on Tuesday
        morning_after(world)
    unsettled, available = balances(world)
    assert unsettled == "40.00"
    assert available == str(world.emulator.desk.accounts.balance(seller(world)))
    for day in range(6):
        assert mismatches(world, thursday + timedelta(days=day)) == []
    waiting = world.api.post(f"/v1/orders/{number}/settlements", json={"out_request_no": "B-2"})
    assert code_of(waiting) == "settlement_confirmed"
    assert world.read(kept)["status"] == "paid"
