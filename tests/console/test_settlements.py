"""Direct pay in the console: set up by an owner, and an order's settlement confirmed on its page, by whoever may."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from console.staff import Staff, hidden, plain
from daozhang.service.people.model import Role
from people_here import deeds
from sharing import paid, switch
from worlds import World, running

DIALOG = 'id="settle"'


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("settlements")) as made:
        switch(made, direct_pay=True)
        yield made


@pytest.fixture(scope="module")
def staff(world: World) -> Iterator[dict[Role, Staff]]:
    people = {role: Staff(world.service.context, role) for role in Role}
    yield people
    for one in people.values():
        one.close()


@pytest.fixture(autouse=True)
def _direct_pay(world: World) -> None:
    switch(world, settlement_suspended=False)
    world.api.put("/v1/sharing", json={"direct_pay": True})


def form_of(one: Staff, order: str) -> dict[str, str]:
    """What the dialog sends."""
    page = one.get(f"/orders/{order}").text
    return {"number": hidden(page.partition(DIALOG)[2], "number")}


def stand(world: World, order: str) -> list[tuple[str, bool]]:
    found = world.api.get(f"/v1/orders/{order}/settlements").json()["data"]
    return [(one["status"], one["royalty_freeze"]) for one in found]


def test_a_settlement_is_confirmed_on_the_orders_page(
    world: World, staff: dict[Role, Staff]
) -> None:
    finance, order = staff[Role.FINANCE], paid(world)
    assert "Alipay holds 100.00" in finance.read(f"/orders/{order}")
    sent = form_of(finance, order)
    for _ in range(2):  # sent twice, it is still one
        assert finance.do(f"/orders/{order}/settle", sent) == f"/orders/{order}?done=settlement"
    world.settle()
    assert stand(world, order) == [("confirmed", False)]
    page = finance.get(f"/orders/{order}?done=settlement").text
    assert DIALOG not in page
    for told in ("Settlement confirmed", "The settlement is to be confirmed", sent["number"]):
        assert told in plain(page)
    refused = finance.post(f"/orders/{order}/settle", {"number": "another"})
    assert (refused.status_code, "nothing left to confirm" in plain(refused.text)) == (409, True)
    assert "settlement.requested" in [what for _, what in deeds(world.service.context)]


def test_what_alipay_refused_is_told_with_what_to_do(
    world: World, staff: dict[Role, Staff]
) -> None:
    finance, order = staff[Role.FINANCE], paid(world)
    switch(world, settlement_suspended=True)
    finance.do(f"/orders/{order}/settle", {**form_of(finance, order), "freeze": "yes"})
    world.settle()
    assert stand(world, order) == [("failed", True)]
    page = finance.get(f"/orders/{order}").text
    card = plain(page.partition("data-settlement")[2].partition("</ul>")[0])
    for told in ("Failed", "Stays frozen for receivers", "risk control has suspended settlements"):
        assert told in card
    assert DIALOG in page  # it may be asked for again


def test_the_button_is_there_only_where_it_would_do_something(
    world: World, staff: dict[Role, Staff]
) -> None:
    finance, order = staff[Role.FINANCE], paid(world)
    assert DIALOG not in finance.get(f"/orders/{world.order('5.00')}").text
    assert DIALOG in finance.get(f"/orders/{order}").text
    owner = staff[Role.OWNER]
    settings = {"percent_max": "30", "plan": "", "cover": "person"}
    assert "checked" in owner.get("/sharing/settings").text.partition('name="direct_pay"')[2][:30]
    assert "Direct pay" in owner.read("/sharing")
    owner.do("/sharing/settings", settings)
    assert world.api.get("/v1/sharing").json()["direct_pay"] is False
    assert "Direct pay" not in owner.read("/sharing")
    assert DIALOG not in finance.get(f"/orders/{order}").text
    refused = finance.post(f"/orders/{order}/settle", {"number": "none"})
    assert (refused.status_code, stand(world, order)) == (409, [])
    owner.do("/sharing/settings", {**settings, "direct_pay": "yes"})
    assert DIALOG in finance.get(f"/orders/{order}").text


@pytest.mark.parametrize("role", list(Role))
def test_who_may(world: World, staff: dict[Role, Staff], role: Role) -> None:
    one, order = staff[role], paid(world)
    may = role in {Role.FINANCE, Role.OWNER}
    assert (DIALOG in one.get(f"/orders/{order}").text) == may
    answer = one.post(f"/orders/{order}/settle", {"number": f"who-{role}"})
    assert answer.status_code == (303 if may else 403)
    assert len(stand(world, order)) == may
