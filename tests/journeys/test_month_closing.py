"""Closing a month: every day closed, its own bills add up to those of the days, and two people sign."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date

import pytest

from daozhang.emulator.bills import span_of
from daozhang.emulator.oddities import OddityName
from daozhang.money import Money
from daozhang.service.bills.model import StatementStatus
from daozhang.service.closing import rules
from daozhang.service.closing.days import list_day_cases
from daozhang.service.closing.model import MonthBill, SideSum
from daozhang.service.closing.months import (
    agree_month,
    propose_month,
    read_month,
    refuse_month,
)
from daozhang.service.closing.refusals import (
    CaseReasonMissing,
    MonthNeedsAnother,
    MonthNotClosable,
    MonthNotProposed,
    MonthProposed,
)
from daozhang.service.people.model import Person, Role
from daozhang.service.people.refusals import RightMissing
from monthly import MARCH, close_days, fetch, fetch_days, shop_of
from people_here import add_person, deeds
from reconciling import odd, pay, seller, to_hour
from worlds import World, running

LAST = date(2026, 3, 31)
APRIL = date(2026, 4, 1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop in April, when all of March has been matched and nothing is closed."""
    with running(tmp_path_factory.mktemp("world")) as made:
        pay(made, "88.88")
        to_hour(made, 12, days=20)
        number = pay(made, "20.00")
        made.refund(number, "5.00", "R1")
        to_hour(made, 10, days=12)
        fetch_days(made, MARCH, LAST)
        yield made


@pytest.fixture(scope="module")
def people(world: World) -> tuple[Person, Person]:
    """Two of the finance department."""
    context = world.service.context
    return add_person(context, "one", Role.FINANCE), add_person(context, "two", Role.FINANCE)


def obstacles(world: World, person: Person, month: date = MARCH) -> list[str]:
    sheet = read_month(world.service.context, person, shop_of(world), month)
    return [one.code for one in sheet.obstacles]


def test_a_month_is_closed_by_two_once_all_its_days_are(
    world: World, people: tuple[Person, Person]
) -> None:
    one, two = people
    context, shop = world.service.context, shop_of(world)
    close_days(world, one, MARCH, LAST.replace(day=30))
    with pytest.raises(MonthNotClosable, match=r"not closed yet: 1, the first of them 2026-03-31"):
        propose_month(context, one, shop, MARCH)
    assert obstacles(world, one) == ["days_open"]

    # The month's own bill has a line that no day's had.
    odd(world, OddityName.FOREIGN_LINE, day=date(2026, 3, 5))
    fetch(world, "2026-03")
    assert obstacles(world, one) == ["days_open", "month_bill_differs_trade"]
    close_days(world, one, LAST, LAST)
    with pytest.raises(MonthNotClosable, match="does not add up") as refused:
        propose_month(context, one, shop, MARCH)
    assert "不一致" in refused.value.detail_zh
    told = world.api.get("/v1/reconciliation/months/2026-03").json()
    assert (told["status"], told["bills"][0]["agrees"]) == ("open", False)
    assert told["bills"][1] == {
        "kind": "signcustomer", "status": "ready", "compared": True, "agrees": True,
    }  # fmt: skip
    world.emulator.desk.account.oddities.clear()
    right = world.emulator.desk.account.bill(seller(world), "trade", span_of("2026-03"))
    given = world.api.post("/v1/bills/files", params={"name": "march.zip"}, content=right)
    assert given.json()["code"] == "bill_stands", given.text
    held = world.api.get("/v1/bills/trade/2026-03").json()
    (file,) = [one["id"] for one in held["files"] if not one["stands"]]
    assert world.api.post("/v1/bills/trade/2026-03/choose", json={"file": file}).status_code == 200
    world.settle()
    assert obstacles(world, one) == []

    viewer = add_person(context, "viewer", Role.VIEWER)
    for deed in (propose_month, agree_month, read_month):
        with pytest.raises(RightMissing):
            deed(context, viewer, shop, MARCH)
    with pytest.raises(MonthNotProposed):
        agree_month(context, two, shop, MARCH)
    assert propose_month(context, one, shop, MARCH, "all there").closed_at is None
    with pytest.raises(MonthProposed):
        propose_month(context, two, shop, MARCH)
    with pytest.raises(MonthNeedsAnother):
        agree_month(context, one, shop, MARCH)
    with pytest.raises(CaseReasonMissing):
        refuse_month(context, two, shop, MARCH, " ")
    refuse_month(context, two, shop, MARCH, "the rent is missing")
    propose_month(context, one, shop, MARCH, "with the rent")
    closed = agree_month(context, two, shop, MARCH)
    assert (closed.proposed_name, closed.closed_name, closed.note) == (
        one.name, two.name, "with the rent",
    )  # fmt: skip
    for deed in (refuse_month, agree_month):
        with pytest.raises(MonthNotProposed):
            deed(context, two, shop, MARCH, *(["no"] if deed is refuse_month else []))
    with pytest.raises(MonthProposed):
        propose_month(context, one, shop, MARCH)
    done = [what for _, what in deeds(context) if what.startswith("month.")]
    assert done == ["month.proposed", "month.refused", "month.proposed", "month.closed"]


def test_the_api_tells_who_closed_it_and_with_what(
    world: World, people: tuple[Person, Person]
) -> None:
    one, two = people
    told = world.api.get("/v1/reconciliation/months/2026-03").json()
    assert (told["status"], told["proposed_by"], told["closed_by"]) == (
        "closed",
        one.name,
        two.name,
    )
    assert (told["first"], told["last"], len(told["days"])) == ("2026-03-01", "2026-03-31", 31)
    assert told["obstacles"] == []
    assert {day["colour"] for day in told["days"]} == {"closed"}
    assert told["accounts"]["sales"]["credits"] == "108.88"
    assert told["accounts"]["refunds"]["debits"] == "5.00"
    ledger = world.api.get(
        "/v1/ledger/trial_balance", params={"first": "2026-03-01", "last": "2026-03-31"}
    ).json()
    assert {line.pop("account"): line for line in ledger["accounts"]} == told["accounts"]
    assert ledger["book"]["locked_through"] == "2026-03-31"
    assert world.api.get("/v1/reconciliation/months/2026-13").status_code == 422


def test_months_are_closed_in_their_order(world: World, people: tuple[Person, Person]) -> None:
    one, two = people
    may = date(2026, 5, 1)
    assert obstacles(world, one, APRIL) == ["days_open"]
    assert obstacles(world, one, may) == ["days_open", "earlier_month_open"]
    assert list_day_cases(world.service.context, two, shop_of(world), None, is_open=True) == []


def test_what_stands_in_the_way_is_said_in_both_languages() -> None:
    held = MonthBill(StatementStatus.HELD, {}, None)
    off = MonthBill(StatementStatus.READY, {"income": SideSum(1, Money(100))}, {})
    found = rules.month_obstacles(
        [MARCH], 3, {"trade": held, "signcustomer": off}, earlier_open=date(2026, 2, 1)
    )
    assert [one.code for one in found] == [
        "days_open", "cases_open", "month_bill_trade", "month_bill_differs_signcustomer",
        "earlier_month_open",
    ]  # fmt: skip
    assert all(one.say and one.say_zh for one in found)
    assert rules.month_obstacles([], 0, {}, earlier_open=None) == ()


@pytest.mark.parametrize(
    ("month", "days", "differs"),
    [
        ({"payments": SideSum(2, Money(300))}, None, False),  # some day has no bill here
        ({"payments": SideSum(2, Money(300))}, {"payments": SideSum(2, Money(300))}, False),
        ({"payments": SideSum(2, Money(300))}, {"payments": SideSum(2, Money(299))}, True),
        ({"payments": SideSum(2, Money(300))}, {}, True),
        ({"payments": SideSum(0, Money(0))}, {}, False),
    ],
)
def test_a_months_bill_is_held_against_those_of_its_days(
    month: dict[str, SideSum], days: dict[str, SideSum] | None, differs: bool
) -> None:
    assert MonthBill(StatementStatus.READY, month, days).differs is differs
