"""The journal of closed days and months: as files of the API, of a command, and in a layout of one's own."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Generator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from daozhang.cli.main import build
from daozhang.service.people.model import Person, Role
from monthly import close_days, close_month, fetch_days
from people_here import add_person, deeds
from reconciling import pay, to_hour
from worlds import World, running

FIRST, SECOND, LAST = date(2026, 3, 29), date(2026, 3, 30), date(2026, 3, 31)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop that began to close its days at the end of March, in April; nothing is closed yet."""
    with running(tmp_path_factory.mktemp("journal")) as made:
        to_hour(made, 12, days=27)
        pay(made, "88.88")
        to_hour(made, 12, days=1)
        number = pay(made, "100.00")
        made.refund(number, "30.00", "R1")
        made.settle()
        to_hour(made, 10, days=2)
        fetch_days(made, FIRST, LAST)
        yield made


@pytest.fixture(scope="module")
def people(world: World) -> tuple[Person, Person]:
    """Two of the finance department."""
    context = world.service.context
    return add_person(context, "one", Role.FINANCE), add_person(context, "two", Role.FINANCE)


def get(world: World, period: str, template: str = "yonyou") -> Any:
    return world.api.get("/v1/journal", params={"period": period, "template": template})


def command(world: World, *arguments: str) -> Result:
    settings = world.service.context.settings
    return CliRunner().invoke(
        build("books"),
        ["books", *arguments],
        env={
            "DAOZHANG_DATA_DIR": str(settings.data_dir),
            "DAOZHANG_DATABASE_URL": settings.database_url,
            "DAOZHANG_ENVIRONMENTS": "emulator",
            "DAOZHANG_PUBLIC_URL": settings.public_url,
        },
    )


def rows(content: bytes) -> list[list[str]]:
    """The lines of a file for yonyou, without its first."""
    first, *body = list(csv.reader(io.StringIO(content.decode("gb18030"))))
    assert first == ["填制凭证", "V800"]
    return body


def sums(lines: list[list[str]]) -> Counter[str]:
    """What the debits and credits of each code add up to, in fen."""
    found: Counter[str] = Counter()
    for line in lines:
        found[f"{line[5]} debits"] += int(line[6].replace(".", ""))
        found[f"{line[5]} credits"] += int(line[7].replace(".", ""))
    return found


def test_only_what_is_closed_goes_out(world: World, people: tuple[Person, Person]) -> None:
    one, _ = people
    for period in ("2026-03-29", "2026-03"):
        refused = get(world, period)
        assert (refused.status_code, refused.json()["code"]) == (409, "journal_not_closed")
    close_days(world, one, FIRST, SECOND)
    day = get(world, "2026-03-29")
    assert day.headers["content-disposition"] == (
        'attachment; filename="journal-shop-2026-03-29.txt"'
    )
    lines = rows(day.content)
    assert [(line[2], line[4]) for line in lines if line[6] == "88.88"] == [
        ("1", "支付宝收款 2026-03-29")
    ]
    # The next day goes on counting.
    last = max(int(line[2]) for line in lines)
    assert min(int(line[2]) for line in rows(get(world, "2026-03-30").content)) == last + 1
    assert get(world, "2026-03").json()["code"] == "journal_not_closed"
    for period in ("yesterday", "2026-13", "9999-12"):
        assert get(world, period).json()["code"] == "journal_span_missing"
    assert get(world, "2026-03-29", "sage").json()["code"] == "journal_template_not_found"


def test_a_month_goes_out_as_its_trial_balance_says(
    world: World, people: tuple[Person, Person]
) -> None:
    close_month(world, *people, LAST)
    month = get(world, "2026-03")
    lines = rows(month.content)
    days = [row for day in (FIRST, SECOND, LAST) for row in rows(get(world, str(day)).content)]
    assert lines == days
    kept = world.api.get("/v1/reconciliation/months/2026-03").json()["accounts"]
    found = sums(lines)
    assert kept["sales"]["credits"] == "188.88"
    assert found["6001 credits"] == 18888
    assert found["6001 debits"] == 3000  # sales and refunds are one account there
    available = kept["available"]
    assert found["101201 debits"] == int(available["debits"].replace(".", ""))
    assert found["101201 credits"] == int(available["credits"].replace(".", ""))
    whole = [
        sum(n for name, n in found.items() if name.endswith(side)) for side in ("debits", "credits")
    ]
    assert whole[0] == whole[1] == sum(int(one["debits"].replace(".", "")) for one in kept.values())
    assert "journal.exported" in {what for _, what in deeds(world.service.context)}


def test_a_layout_of_ones_own(world: World) -> None:
    listed = world.api.get("/v1/journal/templates").json()["data"]
    assert [one["name"] for one in listed] == ["yonyou", "chanjet", "kingdee", "jingdouyun"]
    text = world.api.get("/v1/journal/templates/kingdee").text
    own = text.replace('word = "记"', 'word = "转"').replace('day_and_kind"', 'month"')
    sent = {"period": "2026-03", "template": own}
    answer = world.api.post("/v1/journal", json=sent)
    _, *lines = csv.reader(io.StringIO(answer.content.decode("gb18030")))
    assert {(line[3], line[4]) for line in lines} == {("转", "1")}
    day = world.api.post("/v1/journal", json={**sent, "period": "2026-03-30"})
    assert (day.status_code, day.json()["code"]) == (422, "journal_by_month")
    wrong = world.api.post(
        "/v1/journal", json={**sent, "template": own.replace("[kinds]", "[kindz]")}
    )
    assert wrong.json()["code"] == "journal_template_invalid"
    assert {one["where"] for one in wrong.json()["faults"]} == {"kinds", "kindz"}
    assert "kindz：不认识此项" in wrong.json()["detail_zh"]


def test_at_the_terminal(world: World, tmp_path: Path) -> None:
    out = tmp_path / "march.txt"
    done = command(world, "export", "--month", "2026-03", "--out", str(out), "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert out.read_bytes() == get(world, "2026-03").content
    assert told["lines"] == len(rows(out.read_bytes()))
    own = tmp_path / "own.toml"
    assert command(world, "template", "yonyou", "--out", str(own)).exit_code == 0
    own.write_text(own.read_text("utf-8").replace('"6001"', '"600101"'), "utf-8")
    shop = ("--merchant", "shop", "--template", str(own), "--out", str(out))
    done = command(world, "export", "--day", "2026-03-29", *shop)
    assert "已导出" in done.stdout
    assert {line[5] for line in rows(out.read_bytes())} >= {"101201", "600101"}
    own.write_text("title = 1", "utf-8")
    wrong = command(world, "export", "--day", "2026-03-29", *shop)
    assert wrong.exit_code == 1
    assert "模板不可用" in wrong.output
    for arguments in ((), ("--day", "2026-03-29", "--month", "2026-03")):
        assert "二选一" in command(world, "export", *arguments).output
    assert "可选：yonyou" in command(world, "template", "sage").output
    assert command(world, "template", "jingdouyun").stdout.startswith("# 金蝶精斗云")
