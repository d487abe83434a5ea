"""A month in the console: what stands in the way, the two who sign, and who may."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from datetime import date

import pytest

from console.staff import Staff, plain
from daozhang.service.people.model import Role
from monthly import close_days, fetch_days
from reconciling import pay, to_hour
from worlds import World, running

FIRST, LAST = date(2026, 3, 30), date(2026, 3, 31)
MONTH = "/books/months/2026-03"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop that began to close its days at the end of March; its bills of those days are read."""
    with running(tmp_path_factory.mktemp("months")) as made:
        to_hour(made, 12, days=28)
        pay(made, "88.88")
        to_hour(made, 10, days=2)
        fetch_days(made, FIRST, LAST)
        yield made


@pytest.fixture
def staff(world: World) -> Iterator[Callable[..., Staff]]:
    """Signs somebody of a role in."""
    people: list[Staff] = []

    def sign_in(role: Role, language: str = "en") -> Staff:
        people.append(Staff(world.service.context, role, language=language))
        return people[-1]

    yield sign_in
    for one in people:
        one.close()


def test_a_month_is_closed_by_two(world: World, staff: Callable[..., Staff]) -> None:
    finance, owner = staff(Role.FINANCE), staff(Role.OWNER)
    page = finance.read(MONTH)
    assert "Days that are not closed yet" in page
    assert "Close the month" not in page
    early = finance.post(f"{MONTH}/propose")
    assert (early.status_code, "cannot be closed yet" in plain(early.text)) == (409, True)
    close_days(world, owner.person, FIRST, LAST)
    assert f'href="{finance.home}{MONTH}"' in finance.get("/books?month=2026-03").text
    assert "Close the month" in finance.read(MONTH)
    finance.do(f"{MONTH}/propose", {"note": "a <b>good</b> month"})
    assert "a <b>good</b> month" in finance.read(MONTH)  # as text: no tag of it is left in the page
    assert "<b>good" not in finance.get(MONTH).text
    own = finance.post(f"{MONTH}/agree")
    assert (own.status_code, "a second person" in plain(own.text)) == (403, True)
    owner.do(f"{MONTH}/refuse", {"reason": "not yet"})
    finance.do(f"{MONTH}/propose", {"note": "now"})
    assert "Waits for a second person" in owner.read(MONTH)
    owner.do(f"{MONTH}/agree")
    page = finance.read(MONTH)
    assert f"Proposed by {finance.person.name}" in page
    assert f"Agreed by {owner.person.name}" in page
    assert "Trial balance" in page
    assert "88.88" in page
    file = finance.get("/books/2026-03/journal/kingdee")
    assert "journal-shop-2026-03.csv" in file.headers["content-disposition"]
    assert "88.88" in file.content.decode("gb18030")
    assert f'href="{finance.home}/books/2026-03/journal/kingdee"' in finance.get(MONTH).text
    assert "金蝶精斗云" in finance.read(f"/books/{LAST}")
    assert finance.get(f"/books/{LAST}/journal/yonyou").status_code == 200
    assert finance.get("/books/2026-04/journal/yonyou").status_code == 409
    assert finance.get("/books/2026-03/journal/sage").status_code == 404
    assert owner.post(f"{MONTH}/agree").status_code == 409
    for nothing in ("2026-13", "9999-12", "2026-3", "x"):
        assert owner.get(f"/books/months/{nothing}").status_code == 404
    assert owner.get("/books?month=9999-12").status_code == 200
    assert owner.post(f"{MONTH}/burn").status_code == 404
    reader = staff(Role.OWNER, "zh")
    assert "已关账" in reader.read(MONTH)
    assert "复核人" in reader.read(MONTH)


@pytest.mark.parametrize("role", Role)
def test_who_may_what(role: Role, staff: Callable[..., Staff]) -> None:
    one, may = staff(role), role in (Role.FINANCE, Role.OWNER)
    assert (one.get(MONTH).status_code == 200) is may
    assert (one.get("/books/2026-03/journal/yonyou").status_code != 403) is may
    for deed in ("propose", "agree", "refuse"):
        answer = one.post(f"{MONTH}/{deed}", {"reason": "x"})
        assert (answer.status_code != 403) is may, deed
