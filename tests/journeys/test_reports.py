"""A day and a month as workbooks: who signed, what differed, what was posted; numbers are numbers."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from console.staff import Staff
from daozhang.clock import BEIJING
from daozhang.emulator.oddities import OddityName
from daozhang.service.audit.model import SYSTEM
from daozhang.service.people.model import Person, Role
from daozhang.service.reports.actions import make_report
from monthly import close_days, close_month, fetch_days, shop_of
from people_here import add_person, deeds
from reconciling import odd, pay, to_hour
from workbooks import Cell, moment, read_workbook
from worlds import World, running

FIRST, LAST = date(2026, 3, 30), date(2026, 3, 31)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop at the end of March, whose second day has a line of another system's."""
    with running(tmp_path_factory.mktemp("reports")) as made:
        to_hour(made, 12, days=28)
        pay(made, "88.88")
        to_hour(made, 12, days=1)
        number = pay(made, "50.00")
        made.refund(number, "20.00", "R1")
        odd(made, OddityName.FOREIGN_LINE, day=LAST)
        to_hour(made, 10, days=1)
        fetch_days(made, FIRST, LAST)
        yield made


@pytest.fixture(scope="module")
def people(world: World) -> tuple[Person, Person]:
    """Two of the finance department."""
    context = world.service.context
    return add_person(context, "one", Role.FINANCE), add_person(context, "two", Role.FINANCE)


def report(world: World, period: str) -> dict[str, list[list[Cell]]]:
    answer = world.api.get(f"/v1/reconciliation/reports/{period}")
    assert answer.status_code == 200, answer.text
    assert f"report-shop-{period}.xlsx" in answer.headers["content-disposition"]
    return read_workbook(answer.content)


def facts(sheets: dict[str, list[list[Cell]]]) -> dict[Any, Cell]:
    return {line[0]: line[1] for line in sheets["summary"][1:]}


def test_a_day_says_what_differs_before_it_is_closed(world: World) -> None:
    sheets = report(world, str(LAST))
    assert list(sheets) == ["summary", "days", "trial_balance", "mismatches", "postings"]
    told = facts(sheets)
    assert (told["status"], told["open_count"], told["days_closed"]) == ("open", 1, 0)
    assert (told["zone"], told["mismatches"]) == ("Asia/Shanghai, UTC+08:00", 1)
    assert "closed_by" not in told
    heading, line = sheets["mismatches"]
    differs = dict(zip(heading, line, strict=False))
    assert str(differs["number"]).startswith("OTHER")
    assert (differs["class"], differs["ours"]) == ("missing_here", None)
    assert isinstance(differs["theirs"], Decimal)


def test_a_closed_day_says_who_signed_and_what_was_posted(
    world: World, people: tuple[Person, Person]
) -> None:
    close_days(world, people[0], FIRST, FIRST)
    sheets = report(world, str(FIRST))
    told = facts(sheets)
    assert (told["status"], told["closed_by"], told["days_closed"]) == ("closed", "one", 1)
    assert moment(told["closed_at"]) == world.clock.now().replace(microsecond=0)
    heading, *lines = sheets["postings"]
    posted = [dict(zip(heading, line, strict=False)) for line in lines]
    (paid,) = [one for one in posted if one["kind"] == "payment"]
    assert (paid["amount"], paid["debit"], paid["credit"]) == (
        Decimal("88.88"),
        "available",
        "sales",
    )
    assert str(paid["order"]).startswith("W")
    assert moment(paid["happened_at"]).date() == FIRST
    assert moment(paid["booked_on"]) == datetime(2026, 3, 30, tzinfo=BEIJING)
    balance = {line[0]: line[1:] for line in sheets["trial_balance"][1:]}
    assert balance["sales"] == [0, 0, Decimal("88.88"), Decimal("-88.88")]
    assert told["postings"] == told["postings_listed"] == len(posted)


def test_a_month_says_both_who_signed(world: World, people: tuple[Person, Person]) -> None:
    one, two = people
    rule = world.api.post("/v1/reconciliation/rules", json={"prefix": "OTHER"})
    assert rule.status_code == 201
    world.api.post(f"/v1/reconciliation/days/{LAST}/runs")
    world.settle()
    close_month(world, one, two, LAST)
    sheets = report(world, "2026-03")
    told = facts(sheets)
    assert (told["proposed_by"], told["closed_by"], told["days"]) == ("one", "two", 2)
    assert [moment(line[0]).date() for line in sheets["days"][1:]] == [FIRST, LAST]
    balance = {line[0]: line[1:] for line in sheets["trial_balance"][1:]}
    assert balance["sales"][2] == Decimal("138.88")
    assert balance["refunds"][1] == Decimal("20.00")
    assert sum(line[3] for line in balance.values()) == 0  # type: ignore[misc]
    assert "report.taken" in {what for _, what in deeds(world.service.context)}


def test_a_reader_sees_no_orders_of_merchants_they_do_not_work_for(world: World) -> None:
    context, shop = world.service.context, shop_of(world)
    content = make_report(context, SYSTEM, shop, "2026-03", {}, lambda _: False)
    sheets = read_workbook(content)
    orders = [line[1] for line in sheets["postings"][1:]]
    assert len(orders) > 2
    assert set(orders) == {None}


def test_it_is_taken_in_the_console_in_the_readers_language(world: World) -> None:
    for language, name in (("en", "Summary"), ("zh", "汇总")):
        someone = Staff(world.service.context, Role.FINANCE, language=language)
        answer = someone.get("/books/2026-03/report.xlsx")
        sheets = read_workbook(answer.content)
        assert next(iter(sheets)) == name
        for period in ("2026-03", str(FIRST)):
            place = f"/books/months/{period}" if period == "2026-03" else f"/books/{period}"
            assert f"{someone.home}/books/{period}/report.xlsx" in someone.get(place).text
        someone.close()
    assert sheets["试算平衡表"][0] == ["科目", "期初余额", "借方发生额", "贷方发生额", "期末余额"]
    assert ["时区", "Asia/Shanghai, UTC+08:00"] in sheets["汇总"]
    cashier = Staff(world.service.context, Role.CASHIER)
    assert cashier.get("/books/2026-03/report.xlsx").status_code == 403
    cashier.close()


@pytest.mark.parametrize("period", ["yesterday", "2026-13", "2026"])
def test_what_is_no_day_has_no_report(world: World, period: str) -> None:
    answer = world.api.get(f"/v1/reconciliation/reports/{period}")
    assert (answer.status_code, answer.json()["code"]) == (404, "report_not_found")
