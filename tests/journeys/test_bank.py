"""Withdrawals against the bank statement: both ways, by two people, and only once."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import pytest

from daozhang.money import Money
from daozhang.service.approvals.actions import decline
from daozhang.service.ledger.by_hand import approve_entry
from daozhang.service.people.model import Person
from people_here import add_person
from reconciling import morning_after, seller, to_hour
from worlds import World, running

HEAD = "交易日期,贷方发生额,对方户名,摘要"
ALIPAY = "支付宝(中国)网络技术有限公司"


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop whose bills are fetched, at ten in the morning of the 3rd of March."""
    with running(tmp_path_factory.mktemp("world"), chosen={"fetch_bills": True}) as made:
        to_hour(made, 10, days=1)
        yield made


def withdraw(world: World, amount: str) -> None:
    world.emulator.desk.account.withdraw(seller(world), Money.parse(amount))


def bounce(world: World, amount: str) -> None:
    world.emulator.desk.account.withdrawal_bounces(seller(world), Money.parse(amount))


def give(world: World, *lines: str, **columns: str) -> dict[str, Any]:
    answer = world.api.post(
        "/v1/bank/statements",
        content="\n".join((HEAD, *lines)).encode("gb18030"),
        headers={"Content-Type": "text/csv"},
        params=columns,
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


def bank(world: World) -> dict[str, Any]:
    return world.api.get("/v1/bank").json()


def open_days(world: World) -> dict[str, str]:
    return {one["day"]: one["open"] for one in bank(world)["withdrawals"] if one["open"] != "0.00"}


def say(world: World, days: Sequence[str], lines: Sequence[str]) -> Any:
    return world.api.post("/v1/bank/matches", json={"days": days, "lines": lines})


def held(world: World) -> tuple[str, str]:
    """What is in transit, and what the ledger has at the bank."""
    balances = world.api.get("/v1/ledger/balances").json()["balances"]
    return balances["withdrawal_in_transit"], balances["bank"]


def agree(world: World, person: Person, match: dict[str, Any]) -> None:
    approve_entry(world.service.context, person, match["approval"])


def test_what_has_arrived_is_matched_by_two_and_posted_once(world: World) -> None:
    other = add_person(world.service.context, "other")
    withdraw(world, "500.00")
    morning_after(world)
    withdraw(world, "80.00")
    withdraw(world, "20.00")
    morning_after(world)
    assert open_days(world) == {"2026-03-03": "500.00", "2026-03-04": "100.00"}
    assert held(world) == ("600.00", "0.00")

    first = f"2026-03-04,500.00,{ALIPAY},提现 1"
    told = give(world, first, "2026-03-04,77.00,一位客户,货款")
    assert (told["lines"], told["new"], told["skipped"]) == (1, 1, 1)
    # The next statement overlaps; the same file again brings nothing.
    rest = [f"2026-03-05,80.00,{ALIPAY},提现 2", f"2026-03-05,20.00,{ALIPAY},提现 3"]
    assert give(world, first, *rest)["new"] == 2
    assert give(world, first, *rest)["new"] == 0
    seen = bank(world)
    assert len(seen["lines"]) == 3
    assert not any(line["matched"] for line in seen["lines"])
    assert [(one["days"], one["amount"]) for one in seen["suggestions"]] == [
        (["2026-03-03"], "500.00"),
        (["2026-03-04"], "100.00"),
    ]

    one, two = seen["suggestions"]
    uneven = say(world, one["days"], two["lines"])
    assert (uneven.status_code, uneven.json()["code"]) == (422, "bank_match_uneven")
    unknown = say(world, ["2026-03-01"], one["lines"])
    assert unknown.json()["code"] == "bank_match_part_unknown"
    matches = [say(world, each["days"], each["lines"]).json() for each in (one, two)]
    assert [match["status"] for match in matches] == ["waiting", "waiting"]
    # Nothing moves before somebody else agrees, and nobody takes the same again.
    assert held(world) == ("600.00", "0.00")
    assert (open_days(world), bank(world)["suggestions"]) == ({}, [])
    again = say(world, one["days"], one["lines"])
    assert (again.status_code, again.json()["code"]) == (409, "bank_match_part_unknown")

    agree(world, other, matches[0])
    assert held(world) == ("100.00", "500.00")
    decline(world.service.context, other, matches[1]["approval"], "not ours")
    assert held(world) == ("100.00", "500.00")
    assert open_days(world) == {"2026-03-04": "100.00"}
    statuses = {match["id"]: match["status"] for match in bank(world)["matches"]}
    assert [statuses[match["id"]] for match in matches] == ["posted", "ended"]
    matched = {line["reference"]: line["matched"] for line in bank(world)["lines"]}
    assert matched == {"提现 1": True, "提现 2": False, "提现 3": False}
    (free,) = bank(world)["suggestions"]
    agree(world, other, say(world, free["days"], free["lines"]).json())
    assert held(world) == ("0.00", "600.00")
    assert open_days(world) == {}


def test_what_the_bank_sent_back_is_no_arrival(world: World) -> None:
    other = add_person(world.service.context, "other")
    withdraw(world, "300.00")
    morning_after(world)
    bounce(world, "100.00")
    withdraw(world, "50.00")
    morning_after(world)
    bounce(world, "50.00")
    morning_after(world)
    # 300 left on the 3rd; on the 4th 100 came back and 50 left, on the 5th these came back.
    assert open_days(world) == {
        "2026-03-03": "300.00",
        "2026-03-04": "-50.00",
        "2026-03-05": "-50.00",
    }
    give(world, f"2026-03-05,200.00,{ALIPAY},提现")
    (found,) = bank(world)["suggestions"]
    assert found["days"] == ["2026-03-03", "2026-03-04", "2026-03-05"]
    agree(world, other, say(world, found["days"], found["lines"]).json())
    assert held(world) == ("0.00", "200.00")
    assert open_days(world) == {}


def test_what_came_back_whole_needs_no_line_and_posts_nothing(world: World) -> None:
    withdraw(world, "60.00")
    morning_after(world)
    bounce(world, "60.00")
    morning_after(world)
    (found,) = bank(world)["suggestions"]
    assert (found["lines"], found["amount"]) == ([], "0.00")
    done = say(world, found["days"], [])
    assert (done.json()["status"], done.json()["approval"]) == ("nothing_to_post", None)
    assert (held(world), open_days(world)) == (("0.00", "0.00"), {})


def test_a_statement_with_other_names_is_read_by_them(world: World) -> None:
    content = b"Buchung,Betrag\n2026-03-03,5.00\n"
    path, headers = "/v1/bank/statements", {"Content-Type": "text/csv"}
    refused = world.api.post(path, content=content, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "bank_statement_unreadable")
    columns = {"date_column": "Buchung", "amount_column": "Betrag"}
    read = world.api.post(path, content=content, headers=headers, params=columns)
    assert read.json()["lines"] == 1
    assert [line["amount"] for line in bank(world)["lines"]] == ["5.00"]
