"""The settings of the Alipay account: when it is paid out, which fee is expected, and who may say so."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from console.staff import Staff, plain
from daozhang.service.ledger.model import Payout
from daozhang.service.ledger.reading import book_of
from daozhang.service.people.model import Role
from people_here import deeds
from worlds import World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("settings")) as made:
        yield made


def stands(world: World) -> tuple[Payout, int]:
    with world.service.context.database.read() as tx:
        book = book_of(tx, 1)
    return book.payout, book.fee_ppm


def test_they_are_set_and_hold_from_then_on(world: World) -> None:
    owner = Staff(world.service.context, Role.OWNER)
    page = owner.get("/ledger/settings")
    assert 'value="at_once" checked' in page.text
    assert 'value="0.6"' in page.text
    assert 'name="days" type="text" value="1"' in page.text
    assert "/ledger/settings" in owner.get("/ledger").text
    assert (
        owner.do("/ledger/settings", {"payout": "later", "rate": "0.3855", "days": "1"})
        == "/ledger"
    )
    assert stands(world) == (Payout.LATER, 3855)
    assert "Paid out later (T+1) · fee 0.3855 %" in owner.read("/ledger")
    world.pay(world.order("1000.00"))
    world.settle()
    page = owner.read("/ledger")
    assert "3.86" in page
    assert "At 0.3855 %" in page
    assert "1,000.00" in owner.read("/ledger/unsettled")
    done = [what for _, what in deeds(world.service.context) if what == "ledger.book_set"]
    assert len(done) == 1
    owner.do("/ledger/settings", {"payout": "at_once", "rate": "0"})
    assert stands(world) == (Payout.AT_ONCE, 0)
    owner.close()


@pytest.mark.parametrize("rate", ["", "a", "-1", "100.01", "0.12345", "1,5", "1e2", "999"])
def test_what_is_no_rate_is_said_at_its_field(world: World, rate: str) -> None:
    owner, before = Staff(world.service.context, Role.OWNER), stands(world)
    answer = owner.post("/ledger/settings", {"payout": "later", "rate": rate, "days": "1"})
    assert (answer.status_code, "Write a percentage" in plain(answer.text)) == (422, True)
    assert 'value="later" checked' in answer.text
    assert stands(world) == before
    missing = owner.post("/ledger/settings", {"payout": "soon", "rate": "0.6"})
    assert (missing.status_code, "Choose when" in plain(missing.text)) == (422, True)
    owner.close()


ALLOWED = {"form": {Role.OWNER}, "set": {Role.OWNER}}


@pytest.mark.parametrize("role", Role)
def test_who_may_what(world: World, role: Role) -> None:
    one = Staff(world.service.context, role)
    answers = {
        "form": one.get("/ledger/settings"),
        "set": one.post("/ledger/settings", {"payout": "at_once", "rate": "0.6"}),
    }
    assert answers.keys() == ALLOWED.keys()
    for deed, answer in answers.items():
        assert (answer.status_code != 403) == (role in ALLOWED[deed]), (role, deed)
    assert ("/ledger/settings" in one.get("/ledger").text) == (role in ALLOWED["form"])
    one.close()
