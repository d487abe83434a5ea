"""Bills in the console: given by hand, refused in words, and which of a day's files stands."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Generator, Iterator
from datetime import date

import httpx2
import pytest

from console.staff import Staff, plain, rows
from daozhang.clock import business_day
from daozhang.console.sessions import cookie_name
from daozhang.service.people.model import Role
from people_here import deeds
from reconciling import morning_after, pay, statement, to_hour
from repacking import repacked
from worlds import World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("bills"), chosen={"fetch_bills": True}) as made:
        to_hour(made, 10, days=1)
        yield made


@pytest.fixture
def staff(world: World) -> Iterator[Callable[..., Staff]]:
    """Signs somebody of a role in, now: a day later they are signed out."""
    people: list[Staff] = []

    def sign_in(role: Role, language: str = "en") -> Staff:
        people.append(Staff(world.service.context, role, language=language))
        return people[-1]

    yield sign_in
    for one in people:
        one.close()


@pytest.fixture
def day(world: World) -> date:
    """A day of its own for each test, over and read."""
    to_hour(world, 10, days=1)
    over = business_day(world.clock.now())
    pay(world, "88.88")
    morning_after(world)
    assert statement(world, over).status == "ready"
    return over


def file_of(world: World, one: Staff, day: date) -> bytes:
    """The file of a day's trade bill as the console hands it out."""
    (named,) = rows(one.get(f"/books/bills/trade/{day}").text)
    answer = one.get(f"/books/files/{named}")
    assert answer.status_code == 200
    return answer.content


def test_a_bill_is_given_and_another_file_chosen(
    world: World, day: date, staff: Callable[..., Staff]
) -> None:
    finance, bill = staff(Role.FINANCE), f"/books/bills/trade/{day}"
    assert bill in finance.get(f"/books/{day}").text
    content = file_of(world, finance, day)
    page = finance.read(bill)
    assert hashlib.sha256(content).hexdigest() in page
    for told in ("Fetched from Alipay", "Stands", "1, together 88.88", "Read"):
        assert told in page
    again = finance.send("/books/upload", "same.zip", content)
    assert again.headers["location"].endswith(bill)
    assert len(rows(finance.get(bill).text)) == 1

    other = repacked(content)
    given = finance.send("/books/upload", "账单.zip", other)
    assert (given.status_code, given.headers["location"].endswith(bill)) == (303, True)
    page = finance.read(bill)
    for told in (
        "账单.zip",
        "Given by hand",
        finance.person.email,
        "Kept beside it",
        "Not read yet",
    ):
        assert told in page
    assert "Nothing changes until somebody chooses" in page
    newest, oldest = rows(finance.get(bill).text)
    assert finance.do(f"{bill}/choose", {"file": newest}) == bill
    world.settle()
    page = finance.read(bill)
    assert "Nothing changes until somebody chooses" not in page
    assert page.count("1, together 88.88") == 2
    assert "Everything agrees" in finance.read(f"/books/{day}")
    finance.do(f"{bill}/choose", {"file": oldest})
    world.settle()
    assert finance.post(f"{bill}/choose", {"file": "bill_nobody"}).status_code == 404
    done = [what for _, what in deeds(world.service.context) if what == "bill.chosen"]
    assert len(done) == 2


def test_what_is_refused_is_said_with_what_to_do(
    world: World, day: date, staff: Callable[..., Staff]
) -> None:
    finance = staff(Role.FINANCE)
    nothing = finance.send("/books/upload", "", b"")
    assert (nothing.status_code, "Choose the file first." in plain(nothing.text)) == (422, True)
    unread = finance.send("/books/upload", "holiday.jpg", b"\xff\xd8 no bill at all")
    assert (unread.status_code, "not unpacked" in plain(unread.text)) == (422, True)
    seller = world.service.clients.merchant(1).seller_id.encode()
    stranger = repacked(
        file_of(world, finance, day), lambda text: text.replace(seller, b"2088999999999999")
    )
    with zipfile.ZipFile(io.BytesIO(stranger)) as packed:
        assert any(b"2088999999999999" in packed.read(one) for one in packed.infolist())
    foreign = finance.send("/books/upload", "other.zip", stranger)
    assert foreign.status_code == 422
    for told in ("2088999999999999", "Nothing was kept", "this merchant's account"):
        assert told in plain(foreign.text)
    chinese = staff(Role.FINANCE, "zh").send("/books/upload", "other.zip", stranger)
    assert "切换到该账单所属的商户" in chinese.text
    assert len(rows(finance.get(f"/books/bills/trade/{day}").text)) == 1
    here = finance.post(f"/books/bills/trade/{day}/fetch")
    assert (here.status_code, "is here already" in plain(here.text)) == (409, True)
    today = business_day(world.clock.now())
    early = finance.post(f"/books/bills/trade/{today}/fetch")
    assert early.status_code in (404, 409)
    for lost in ("trade/2026-02-30", "nothing/2026-03-01", "trade/2025-01-01"):
        assert finance.get(f"/books/bills/{lost}").status_code == 404
    assert finance.get("/books/files/bill_nobody").status_code == 404


def test_a_bill_of_a_month_is_found_from_its_month(
    world: World, day: date, staff: Callable[..., Staff]
) -> None:
    finance = staff(Role.FINANCE)
    assert finance.do(f"/books/bills/trade/{day:%Y}-01/fetch") == f"/books/bills/trade/{day:%Y}-01"
    world.settle()
    page = finance.get(f"/books?month={day:%Y}-01")
    assert f"/books/bills/trade/{day:%Y}-01" in page.text
    assert "January" in finance.read(f"/books/bills/trade/{day:%Y}-01")


def test_a_file_is_taken_of_nobody_else(
    world: World, day: date, staff: Callable[..., Staff]
) -> None:
    """Neither of strangers, nor of who has no right, nor of another page's form."""
    content = repacked(file_of(world, staff(Role.FINANCE), day))
    base = f"{world.service.context.settings.public_url}/console/m/shop/books/upload"
    with httpx2.Client(trust_env=False) as stranger:
        answer = stranger.post(base, files={"file": ("bill.zip", content)})
    assert (answer.status_code, "sign_in" in answer.headers["location"]) == (303, True)
    finance = staff(Role.FINANCE)
    assert cookie_name(world.service.context)
    without = finance.send("/books/upload", "bill.zip", content, {"csrf": "x" * 88})
    assert (without.status_code, "out of date" in plain(without.text)) == (403, True)
    assert finance.post("/books/upload").status_code == 400
    assert len(rows(finance.get(f"/books/bills/trade/{day}").text)) == 1


ALLOWED = {
    "form": {Role.FINANCE, Role.OWNER},
    "give": {Role.FINANCE, Role.OWNER},
    "bill": {Role.FINANCE, Role.OWNER},
    "file": {Role.FINANCE, Role.OWNER},
    "choose": {Role.FINANCE, Role.OWNER},
    "fetch": {Role.FINANCE, Role.OWNER},
}


def test_who_may_what(world: World, day: date, staff: Callable[..., Staff]) -> None:
    owner, bill = staff(Role.OWNER), f"/books/bills/trade/{day}"
    (named,) = rows(owner.get(bill).text)
    content = file_of(world, owner, day)
    for role in Role:
        one = staff(role)
        answers = {
            "form": one.get("/books/upload"),
            "give": one.send("/books/upload", "bill.zip", content),
            "bill": one.get(bill),
            "file": one.get(f"/books/files/{named}"),
            "choose": one.post(f"{bill}/choose", {"file": named}),
            "fetch": one.post(f"{bill}/fetch"),
        }
        assert answers.keys() == ALLOWED.keys()
        for deed, answer in answers.items():
            assert (answer.status_code != 403) == (role in ALLOWED[deed]), (role, deed)
        world.settle()
