"""The bank in the console: a statement is given, both sides are matched by one person, another one agrees."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from datetime import date
from typing import Any

import httpx2
import pytest

from console.staff import Staff, plain, rows
from daozhang.money import Money
from daozhang.service.people.model import Role
from making_workbooks import workbook
from people_here import deeds
from reconciling import morning_after, seller, to_hour
from worlds import World, running

HEAD = "交易日期,贷方发生额,对方户名,摘要"
ALIPAY = "支付宝(中国)网络技术有限公司"


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop whose bills are fetched: 500 was withdrawn on the 3rd of March, 100 on the 4th."""
    with running(tmp_path_factory.mktemp("bank"), chosen={"fetch_bills": True}) as made:
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


def withdraw(world: World, amount: str) -> None:
    world.emulator.desk.account.withdraw(seller(world), Money.parse(amount))


def sheet(*lines: str, head: str = HEAD) -> bytes:
    return "\n".join((head, *lines)).encode("gb18030")


def give(one: Staff, content: bytes, **names: str) -> httpx2.Response:
    return one.send("/bank/statement", "流水.csv", content, names)


def bank(world: World) -> dict[str, Any]:
    return world.api.get("/v1/bank").json()


def at_bank(world: World) -> str:
    return world.api.get("/v1/ledger/balances").json()["balances"]["bank"]


def test_withdrawals_are_matched_by_one_and_agreed_to_by_another(
    world: World, staff: Callable[..., Staff]
) -> None:
    assert "No withdrawal yet" in staff(Role.FINANCE).read("/bank")
    withdraw(world, "500.00")
    morning_after(world)
    withdraw(world, "100.00")
    morning_after(world)
    finance, other = staff(Role.FINANCE), staff(Role.FINANCE)
    page = finance.read("/bank")
    for told in ("On its way to the bank 600.00 CNY", "Mar 3, 2026 500.00", "Mar 4, 2026 100.00"):
        assert told in page, told
    assert "What probably belongs together" not in page

    given = give(
        finance,
        sheet(
            f"2026-03-04,500.00,{ALIPAY},提现 1",
            f"2026-03-05,80.00,{ALIPAY},提现 2",
            f"2026-03-05,20.00,{ALIPAY},提现 3",
            "2026-03-05,77.00,一位客户,货款",
        ),
    )
    said = plain(given.text)
    assert given.status_code == 200
    assert "3 lines are Alipay's, of which 3 were not here yet. 1 of others were not kept." in said
    again = plain(give(finance, sheet(f"2026-03-04,500.00,{ALIPAY},提现 1")).text)
    assert "1 lines are Alipay's, of which 0 were not here yet." in again
    # The bank's workbook has the same lines.
    line = [date(2026, 3, 4), 500, ALIPAY, "提现 1"]
    book = workbook({"账户明细": [["某某银行"], HEAD.split(","), line]})
    again = plain(finance.send("/bank/statement", "流水.xlsx", book).text)
    assert "1 lines are Alipay's, of which 0 were not here yet." in again
    page = finance.get("/bank").text
    assert "Withdrawn Mar 3, 2026 At the bank Mar 4, 2026 提现 1 500.00 Match" in plain(page)
    assert f"{ALIPAY} · 提现 3" in plain(page)
    assert "一位客户" not in page

    one, two = bank(world)["suggestions"]
    first = {"day_2026-03-03": "on", f"line_{one['lines'][0]}": "on"}
    assert f'name="line_{one["lines"][0]}" value="on"' in page
    assert finance.do("/bank/match", first) == "/bank/matches"
    page = finance.get("/bank/matches")
    assert "500.00 CNY Waits for a second person Mar 3, 2026 Mar 4, 2026 提现 1" in plain(page.text)
    (match,) = bank(world)["matches"]
    approval = f"/approvals/{match['approval']}"
    assert approval in page.text
    assert rows(page.text) == [match["id"]]
    # Nobody agrees with themselves.
    assert finance.post(f"{approval}/approve").status_code == 403
    assert at_bank(world) == "0.00"
    assert "提现 1" in other.read(approval)
    other.do(f"{approval}/approve")
    assert at_bank(world) == "500.00"
    assert "At the bank Mar 3, 2026" in other.read("/bank/matches")

    second = {"day_2026-03-04": "on"} | {f"line_{named}": "on" for named in two["lines"]}
    finance.do("/bank/match", second)
    newest = bank(world)["matches"][0]
    other.do(f"/approvals/{newest['approval']}/decline", {"note": "not ours"})
    page = other.read("/bank/matches")
    assert "100.00 CNY Not agreed to Mar 4, 2026" in page
    assert "提现 2" not in page
    assert "Withdrawn Mar 4, 2026" in other.read("/bank")
    assert at_bank(world) == "500.00"
    done = [what for _, what in deeds(world.service.context) if what.startswith("bank.")]
    assert done == ["bank.statement_imported"] * 3 + ["bank.matched"] * 2


def test_what_does_not_come_to_the_same_is_said_and_stays_open(
    world: World, staff: Callable[..., Staff]
) -> None:
    withdraw(world, "60.00")
    morning_after(world)
    finance, chinese = staff(Role.FINANCE), staff(Role.FINANCE, "zh")
    give(finance, sheet(f"2026-03-04,59.99,{ALIPAY},提现"))
    (line,) = bank(world)["lines"]
    both = {"day_2026-03-03": "on", f"line_{line['id']}": "on"}
    uneven = finance.post("/bank/match", both)
    assert uneven.status_code == 422
    assert "The withdrawals come to 60.00 and the lines of the bank to 59.99" in plain(uneven.text)
    assert "两者须相等" in chinese.post("/bank/match", both).text
    nothing = finance.post("/bank/match", {f"line_{line['id']}": "on"})
    assert (nothing.status_code, "Tick at least one day" in plain(nothing.text)) == (422, True)
    gone = finance.post("/bank/match", {"day_2026-03-01": "on", f"line_{line['id']}": "on"})
    assert (gone.status_code, "2026-03-01 is no line" in plain(gone.text)) == (409, True)
    assert finance.post("/bank/match", {"day_yesterday": "on"}).status_code == 403
    assert bank(world)["matches"] == []
    to_hour(world, 10, days=8)
    assert staff(Role.FINANCE).read("/bank").count("Open for over a week") == 2


def test_a_withdrawal_that_came_back_is_matched_with_no_line(
    world: World, staff: Callable[..., Staff]
) -> None:
    withdraw(world, "60.00")
    morning_after(world)
    world.emulator.desk.account.withdrawal_bounces(seller(world), Money.parse("60.00"))
    morning_after(world)
    finance = staff(Role.FINANCE)
    page = finance.read("/bank")
    assert "Withdrawn Mar 3, 2026, Mar 4, 2026 All of it came back: no line of the bank" in page
    finance.do("/bank/match", {"day_2026-03-03": "on", "day_2026-03-04": "on"})
    assert "0.00 CNY Came back whole Mar 3, 2026 Mar 4, 2026" in finance.read("/bank/matches")


def test_a_statement_that_cannot_be_read_says_its_line(
    world: World, staff: Callable[..., Staff]
) -> None:
    finance, chinese = staff(Role.FINANCE), staff(Role.FINANCE, "zh")
    nothing = finance.send("/bank/statement", "", b"")
    assert (nothing.status_code, "Choose the bank statement" in plain(nothing.text)) == (422, True)
    wrong = sheet(f"2026-02-30,5.00,{ALIPAY},提现")
    refused = give(finance, wrong)
    assert (refused.status_code, "Line 2 of the bank statement" in plain(refused.text)) == (
        422,
        True,
    )
    assert "银行流水第 2 行" in plain(give(chinese, wrong).text)
    book = workbook({"账户明细": [HEAD.split(","), ["2026-03-03", "=2+3", ALIPAY, "1"]]})
    told = plain(give(finance, book).text)
    assert "!B2 of the bank statement: it is a formula" in told
    assert "!B2 ：是公式" in plain(give(chinese, book).text)
    other = sheet("2026-03-03,5.00", head="Buchung,Betrag")
    unnamed = give(finance, other, date="", amount="", payer="", number="")
    assert "say how yours are called" in plain(unnamed.text)
    half = give(finance, other, date="Buchung", amount="Betrog")
    assert half.status_code == 422
    assert '<details class="upload" open>' in half.text
    assert 'value="Betrog"' in half.text
    assert give(finance, other, date="Buchung", amount="Betrag").status_code == 200
    assert [line["amount"] for line in bank(world)["lines"]] == ["5.00"]


def test_more_than_a_form_holds_stands_behind_what_is_older(
    world: World, staff: Callable[..., Staff]
) -> None:
    lines = [f"2026-03-01,{n}.00,{ALIPAY},提现 {n}" for n in range(1, 84)]
    finance = staff(Role.FINANCE)
    give(finance, sheet(*lines))
    page = finance.read("/bank")
    assert "3,486.00" in page  # all of them together
    assert "提现 80 80.00" in page
    assert "提现 81" not in page
    assert "3 newer ones stand here once these are matched." in page


ALLOWED = {
    "open": {Role.FINANCE, Role.OWNER},
    "matches": {Role.FINANCE, Role.OWNER},
    "form": {Role.FINANCE, Role.OWNER},
    "give": {Role.FINANCE, Role.OWNER},
    "match": {Role.FINANCE, Role.OWNER},
}


def test_who_may_what(world: World, staff: Callable[..., Staff]) -> None:
    for role in Role:
        one = staff(role)
        answers = {
            "open": one.get("/bank"),
            "matches": one.get("/bank/matches"),
            "form": one.get("/bank/statement"),
            "give": give(one, sheet(f"2026-03-03,5.00,{ALIPAY},提现")),
            "match": one.post("/bank/match", {"day_2026-03-03": "on"}),
        }
        assert answers.keys() == ALLOWED.keys()
        for deed, answer in answers.items():
            assert (answer.status_code != 403) == (role in ALLOWED[deed]), (role, deed)
        assert ('/m/shop/bank"' in one.get("/orders").text) == (role in ALLOWED["open"])
