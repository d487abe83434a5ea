"""The guide "close a day": each of its commands and requests, in their order, and each button it says to press."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Generator, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from console.staff import Staff, rows
from daozhang.cli.main import build
from daozhang.emulator.oddities import OddityName
from daozhang.money import Money
from daozhang.service.people.model import Role
from daozhang.service.reconciliation.model import MismatchClass
from monthly import fetch
from reconciling import mismatches, odd, pay, to_hour
from workbooks import read_workbook
from worlds import World, running

GUIDE = Path(__file__).parents[2] / "docs/guides/close-a-day.md"
FIRST, LAST = "2026-03-30", "2026-03-31"


def commands() -> list[list[str]]:
    """The words of each command."""
    blocks = re.findall(r"^```\n(.*?)```$", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [shlex.split(block.replace("\\\n", " ")) for block in blocks]


class Reader:
    """Somebody who does what the guide says, in a folder of their own."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self._folder = folder
        self._left = commands()

    def next(self) -> Any:
        """Carries out the next command: what it printed, or the body of the answer."""
        words = self._left.pop(0)
        return self._terminal(words) if words[0] == "daozhang" else self._request(words)

    def is_through(self) -> bool:
        """Whether nothing is left."""
        return not self._left

    def _terminal(self, words: list[str]) -> str:
        settings = self.world.service.context.settings
        variables = {
            "DAOZHANG_DATA_DIR": str(settings.data_dir),
            "DAOZHANG_DATABASE_URL": settings.database_url,
            "DAOZHANG_ENVIRONMENTS": "emulator",
            "DAOZHANG_PUBLIC_URL": settings.public_url,
            "DAOZHANG_CLOCK": "manual",
            "COLUMNS": "200",
        }
        here = [
            str(self._folder / word) if word.endswith((".toml", ".txt", ".csv", ".xlsx")) else word
            for word in words
        ]
        done = CliRunner().invoke(build(words[1]), here[1:], env=variables)
        assert done.exit_code == 0, (words, done.output)
        return done.stdout

    def _request(self, words: list[str]) -> Any:
        url = next(word for word in words if word.startswith("$DAOZHANG"))
        method = words[words.index("-X") + 1] if "-X" in words else "GET"
        body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
        assert "Authorization: Bearer $KEY" in words
        answer = self.world.api.request(method, url.removeprefix("$DAOZHANG"), json=body)
        assert answer.status_code in (200, 201, 202), (words, answer.text)
        self.world.settle()
        is_json = answer.headers["content-type"] == "application/json"
        return answer.json() if is_json else answer.content


def press(who: Staff, page: str, button: str, deed: str, **fields: str) -> str:
    """Presses a button that the guide names and the page has."""
    assert f"**{button}**" in GUIDE.read_text("utf-8")
    assert button in who.read(page)
    return who.do(f"{page}/{deed}", fields)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop at the end of March, with a second system on its account, a refund that nobody told us
    of, and a fen that nobody can explain."""
    with running(tmp_path_factory.mktemp("guide")) as made:
        to_hour(made, 12, days=28)
        pay(made, "88.88")
        odd(made, OddityName.FOREIGN_LINE, day=date.fromisoformat(FIRST))
        to_hour(made, 12, days=1)
        number = pay(made, "50.00")
        made.emulator.set_fault("notify_never", out_trade_no=number)
        made.emulator.refund(number, Money(2000), "R-CENTRE")
        odd(made, OddityName.AMOUNT_OFF, pay(made, "10.00"))
        to_hour(made, 10, days=1)
        yield made


@pytest.fixture
def people(world: World) -> Iterator[tuple[Staff, Staff]]:
    """Two of the finance department."""
    one, two = (Staff(world.service.context, Role.FINANCE) for _ in range(2))
    yield one, two
    for who in (one, two):
        who.close()


def test_what_the_guide_says_is_what_happens(
    world: World, people: tuple[Staff, Staff], tmp_path: Path
) -> None:
    one, two = people
    reader = Reader(world, tmp_path)

    assert "ready" in reader.next()  # fetched
    assert "OTHER20260330000000" in reader.next()  # shown
    day = reader.next()
    assert (day["run"]["matched_count"], day["open"][0]["mismatch"]) == (1, "missing_here")
    (other,) = reader.next()["data"]
    assert other["out_trade_no"].startswith("OTHER")

    assert reader.next()["prefix"] == "OTHER"
    reader.next()  # matched again
    assert world.api.get(f"/v1/reconciliation/days/{FIRST}").json()["open"] == []
    press(one, f"/books/{FIRST}", "Close the day", "close")

    fetch(world, LAST)  # the next morning
    cases = {
        case: one.read(f"/books/cases/{case}") for case in rows(one.get(f"/books/{LAST}").text)
    }
    (refund,) = [case for case, page in cases.items() if "R-CENTRE" in page]
    press(one, f"/books/cases/{refund}", "Take it", "take")
    press(one, f"/books/cases/{refund}", "Ask Alipay now", "ask")
    left = mismatches(world, date.fromisoformat(LAST))
    assert [one.mismatch for one in left] == [MismatchClass.AMOUNT_DIFFERS]
    page = f"/books/cases/{left[0].public_id}"
    press(one, page, "Propose", "propose", end="accepted", reason="a mail of Alipay's service")
    press(two, page, "Agree", "agree")
    press(two, f"/books/{LAST}", "Close the day", "close", note="a fen")
    assert f"Closed by {two.person.name}" in one.read(f"/books/{LAST}")

    balance = reader.next()
    assert balance["book"]["locked_through"] == LAST
    assert {line["account"]: line["credits"] for line in balance["accounts"]}["sales"] == "88.88"

    world.emulator.desk.account.oddities.clear()
    to_hour(world, 10, days=3)
    one, two = (Staff(world.service.context, Role.FINANCE) for _ in range(2))  # signed in anew
    reader.next()  # the month's bill
    month = reader.next()
    assert (month["status"], month["obstacles"], month["first"]) == ("open", [], FIRST)
    assert month["bills"][0]["kind"] == "trade"
    assert [line["colour"] for line in month["days"]] == ["closed", "closed"]
    here = "/books/months/2026-03"
    press(one, here, "Close the month", "propose")
    press(two, here, "Agree", "agree")
    kept = world.api.get("/v1/reconciliation/months/2026-03").json()
    assert (kept["status"], kept["closed_by"]) == ("closed", two.person.name)

    assert "报表已写入" in reader.next()
    written, answered = (tmp_path / "march.xlsx").read_bytes(), reader.next()
    assert read_workbook(written)["summary"][:12] == read_workbook(answered)["summary"][:12]
    assert "Report" in one.read(here)

    assert "已导出" in reader.next()
    assert (tmp_path / "march.txt").read_bytes().decode("gb18030").startswith("填制凭证,V800")
    reader.next()  # a template
    assert "已导出" in reader.next()
    assert reader.next() == (tmp_path / "march.csv").read_bytes()
    assert b"88.88" in (tmp_path / "march.csv").read_bytes()
    assert reader.is_through()
    for who in (one, two):
        who.close()
