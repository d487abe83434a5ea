"""Transfers before anybody has said how much may be sent: nothing is offered, and it says why."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from console.staff import Staff, hidden, plain
from daozhang.service.people.model import Role
from daozhang.service.transfers.templates import csv_template
from worlds import World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("not_set_up")) as made:
        yield made


def test_nothing_is_offered_and_nothing_taken(world: World) -> None:
    finance = Staff(world.service.context, Role.FINANCE)
    page = finance.get("/transfers")
    assert "an owner says first" in plain(page.text)
    assert "/transfers/new" not in page.text
    form = finance.get("/transfers/new")
    assert "an owner says first" in plain(form.text)
    wish = {"identity": "2088000000000001", "payee_kind": "user_id", "amount": "1", "title": "x"}
    number = hidden(form.text, "number")
    for sure in ("", "yes"):
        answer = finance.post("/transfers/new", {"number": number, **wish, "sure": sure})
        assert (answer.status_code, "Nobody has said how much" in plain(answer.text)) == (403, True)
    sheet = finance.send("/transfers/sheets/new", "a.csv", csv_template("gbk"), {"title": "x"})
    assert (sheet.status_code, "Nobody has said how much" in plain(sheet.text)) == (403, True)
    assert finance.get(f"/transfers/{number}").status_code == 404
    finance.close()
