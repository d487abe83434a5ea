"""Reconciliation in the console: the calendar, a day that is closed, a case that two people end, and who may."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from datetime import date
from pathlib import Path

import pytest

from console.staff import Staff, hidden, plain, rows
from daozhang.clock import business_day
from daozhang.emulator.oddities import OddityName
from daozhang.service.people.model import Role
from people_here import deeds
from reconciling import bring_changed, mismatches, morning_after, odd, pay, to_hour
from worlds import World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("books"), chosen={"fetch_bills": True}) as made:
        to_hour(made, 10, days=1)
        yield made


@pytest.fixture
def staff(world: World) -> Iterator[Callable[[Role], Staff]]:
    """Signs somebody of a role in, now: a day later they are signed out."""
    people: list[Staff] = []

    def sign_in(role: Role) -> Staff:
        people.append(Staff(world.service.context, role))
        return people[-1]

    yield sign_in
    for one in people:
        one.close()


@pytest.fixture(autouse=True)
def day(world: World) -> date:
    """A day of its own for each test."""
    to_hour(world, 10, days=1)
    world.emulator.desk.account.oddities.clear()
    return business_day(world.clock.now())


def one_case(world: World, day: date) -> str:
    """A line of another system's in the day's bill; its case."""
    pay(world, "88.88")
    odd(world, OddityName.FOREIGN_LINE, day=day)
    morning_after(world)
    (found,) = mismatches(world, day)
    return found.public_id


def test_a_day_is_seen_in_the_calendar_and_closed(
    world: World, day: date, staff: Callable[[Role], Staff]
) -> None:
    finance = staff(Role.FINANCE)
    pay(world, "88.88")
    assert "Not over yet" in finance.read(f"/books?month={day:%Y-%m}")
    page = finance.read(f"/books/{day}")
    assert "is not there, or held" in page
    refused = finance.post(f"/books/{day}/close")
    assert refused.status_code == 409
    assert "cannot be closed yet" in plain(refused.text)
    morning_after(world)
    finance = staff(Role.FINANCE)
    assert "Agrees" in finance.read(f"/books?month={day:%Y-%m}")
    page = finance.read(f"/books/{day}")
    assert "Everything agrees" in page
    assert "88.88" in page
    where = finance.do(f"/books/{day}/close", {"note": "quiet"})
    page = finance.read(where)
    assert f"Closed by {finance.person.name}" in page
    assert "quiet" in page
    assert (
        finance.do(f"/books/{day}/read") == f"/books/{day}"
    )  # it can be read again, and stays closed
    assert "Books closed" in finance.read(f"/books/{day}")


def test_a_case_is_ended_by_two(world: World, day: date, staff: Callable[[Role], Staff]) -> None:
    case = f"/books/cases/{one_case(world, day)}"
    finance, owner = staff(Role.FINANCE), staff(Role.OWNER)
    assert rows(finance.get(f"/books/{day}").text) == [case.rpartition("/")[2]]
    page = finance.read(case)
    assert "Missing here" in page
    assert "set it aside" in page
    assert "8.88" in page
    finance.do(f"{case}/take")
    asked = finance.post(f"{case}/ask")
    assert (asked.status_code, "no such trade" in plain(asked.text)) == (409, True)
    finance.do(f"{case}/note", {"text": "<b>vending</b> machines?"})
    assert "<b>vending" not in finance.get(case).text
    nothing = finance.post(f"{case}/propose", {"end": "foreign", "reason": ""})
    assert (nothing.status_code, "Say why" in plain(nothing.text)) == (422, True)
    finance.do(f"{case}/propose", {"end": "foreign", "reason": "vending machine 7"})
    own = finance.post(f"{case}/agree")
    assert (own.status_code, "a second person" in plain(own.text)) == (403, True)
    assert "A second person has to agree." in finance.read(case)
    owner.do(f"{case}/refuse", {"reason": "which?"})
    finance.do(f"{case}/propose", {"end": "foreign", "reason": "number 7"})
    owner.do(f"{case}/agree")
    page = finance.read(case)
    assert "Settled" in page
    assert f"Agreed by {owner.person.name}" in page
    assert "Agrees" in finance.read(f"/books/{day}")
    done = [what for _, what in deeds(world.service.context) if what.startswith("case.")]
    assert done == [
        "case.taken", "case.asked", "case.proposed", "case.refused", "case.proposed", "case.settled",
    ]  # fmt: skip


def test_a_case_that_has_become_another_amount_is_proposed_again(
    world: World, day: date, staff: Callable[[Role], Staff], tmp_path: Path
) -> None:
    number = pay(world, "88.88")
    odd(world, OddityName.AMOUNT_OFF, number, day=day)
    morning_after(world)
    (found,) = mismatches(world, day)
    case = f"/books/cases/{found.public_id}"
    finance, owner = staff(Role.FINANCE), staff(Role.OWNER)
    finance.do(f"{case}/propose", {"end": "accepted", "reason": "one fen"})
    before = owner.get(case).text
    assert f'action="{owner.home}{case}/agree"' in before
    theirs = f"{found.theirs_minor or 0:03}"
    shown = f"{theirs[:-2]}.{theirs[-2:]}"
    bring_changed(world, day, tmp_path, lambda content: content.replace(shown.encode(), b"99.95"))
    page = owner.get(case).text
    assert f"{case}/agree" not in page
    assert f"Amount when it was proposed {shown} 88.88" in plain(page)
    assert "Amount 99.95 88.88" in plain(page)
    refused = owner.post(f"{case}/agree")
    assert (refused.status_code, "propose it again" in plain(refused.text)) == (409, True)
    seen = hidden(before, "stamp")
    finance.do(f"{case}/propose", {"end": "accepted", "reason": "11.07, says Alipay"})
    # A page that was open all the while does not agree to what came after it.
    late = owner.post(f"{case}/agree", {"stamp": seen})
    assert (late.status_code, "propose it again" in plain(late.text)) == (409, True)
    owner.do(f"{case}/agree", {"stamp": hidden(owner.get(case).text, "stamp")})
    assert "Settled" in finance.read(case)


ALLOWED = {
    "look": {Role.FINANCE, Role.OWNER},
    "take": {Role.FINANCE, Role.OWNER},
    "ask": {Role.FINANCE, Role.OWNER},
    "propose": {Role.FINANCE, Role.OWNER},
    "note": {Role.FINANCE, Role.OWNER},
    "agree": {Role.FINANCE, Role.OWNER},
    "refuse": {Role.FINANCE, Role.OWNER},
    "close": {Role.FINANCE, Role.OWNER},
    "read": {Role.FINANCE, Role.OWNER},
}


def test_who_may_what(world: World, day: date, staff: Callable[[Role], Staff]) -> None:
    named = one_case(world, day)
    for role in Role:
        one = staff(role)
        for deed, allowed in ALLOWED.items():
            if deed == "look":
                answer = one.get("/books")
            elif deed in ("close", "read"):
                answer = one.post(f"/books/{day}/{deed}")
            else:
                answer = one.post(f"/books/cases/{named}/{deed}", {"text": "x", "reason": ""})
            own = "a second person" in plain(answer.text)
            assert (answer.status_code != 403 or own) == (role in allowed), (role, deed)
    owner = staff(Role.OWNER)
    assert owner.get("/books/cases/nobody").status_code == 404
    assert owner.get("/books/yesterday").status_code == 404


def test_it_is_read_in_chinese(world: World, day: date) -> None:
    case = one_case(world, day)
    reader = Staff(world.service.context, Role.FINANCE, language="zh")
    assert "对账" in reader.read("/books")
    assert "账单缺少" in reader.read(f"/books/{day}") or "本系统缺少" in reader.read(
        f"/books/{day}"
    )
    assert "请先向支付宝查询" in reader.read(f"/books/cases/{case}")
    reader.close()
