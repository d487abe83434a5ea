"""Agreements in the console: when is charged, every try, and who may charge, move and end."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from agreeing import create, read, signed, today, tries
from console.staff import Staff, hidden, plain, rows
from daozhang.service.people.model import Role
from people_here import deeds
from worlds import World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(Path(tmp_path_factory.mktemp("agreements"))) as world:
        yield world


@pytest.fixture
def staff(world: World) -> Iterator[dict[Role, Staff]]:
    people = {role: Staff(world.service.context, role) for role in Role}
    yield people
    for one in people.values():
        one.close()


def done(world: World, who: Staff) -> list[str]:
    """What somebody did, by the trail."""
    by = str(who.person.actor)
    return [deed for actor, deed in deeds(world.service.context) if actor == by]


def test_a_period_is_charged_once_by_a_form_sent_twice(
    world: World, staff: dict[Role, Staff]
) -> None:
    number, finance = signed(world, ahead=3, plan=False), staff[Role.FINANCE]
    page = finance.get(f"/agreements/{number}").text
    fields = {"number": hidden(page, "number"), "amount": "30.00", "subject": "Membership"}
    for _ in range(2):
        assert finance.do(f"/agreements/{number}/charge", fields) == f"/agreements/{number}"
        world.settle()
    assert tries(world, number) == [(fields["number"], "paid")]
    said = finance.read(f"/agreements/{number}")
    assert "Paid so far 30.00 CNY" in said
    assert "The period is paid." in said
    assert done(world, finance).count("agreement.charge_asked") == 1
    other = fields | {"number": "another-number"}
    refused = finance.post(f"/agreements/{number}/charge", other | {"amount": "99.00"})
    assert refused.status_code == 409


def test_the_day_is_moved_at_alipay(world: World, staff: dict[Role, Staff]) -> None:
    number, owner = signed(world, ahead=3, plan=False), staff[Role.OWNER]
    day = date.fromisoformat(read(world, number)["next_deduct_on"]) + timedelta(days=2)
    owner.do(f"/agreements/{number}/move", {"day": day.isoformat()})
    assert read(world, number)["next_deduct_on"] == day.isoformat()
    assert "agreement.move_asked" in done(world, owner)
    for wrong, status in (("", 422), ("soon", 422), (today(world).isoformat(), 409)):
        answer = owner.post(f"/agreements/{number}/move", {"day": wrong})
        assert answer.status_code == status, (wrong, plain(answer.text))


def test_an_end_is_proven_by_alipay(world: World, staff: dict[Role, Staff]) -> None:
    number, finance = signed(world), staff[Role.FINANCE]
    finance.do(f"/agreements/{number}/end")
    world.advance(60)
    assert read(world, number)["status"] == "ended"
    said = finance.read(f"/agreements/{number}")
    assert "No longer in effect" in said
    assert "agreement.end_asked" in done(world, finance)
    assert (
        finance.post(f"/agreements/{create(world)['external_agreement_no']}/end").status_code == 409
    )


def test_agreements_are_listed_by_state_with_what_is_due(
    world: World, staff: dict[Role, Staff]
) -> None:
    viewer = staff[Role.VIEWER]
    one, other = signed(world), create(world)["external_agreement_no"]
    assert {one, other} <= {*rows(viewer.get("/agreements").text)}
    active = viewer.get("/agreements?state=active").text
    assert one in rows(active)
    assert other not in rows(active)
    assert "Every 7 days" in plain(active)
    assert "No agreement stands like that" in viewer.read("/agreements?state=stopped")
    assert viewer.get("/agreements/none").status_code == 404
    said = viewer.read(f"/agreements/{one}")
    assert "By itself" in said
    assert "personal.viewed" not in done(world, viewer)


MAY_LOOK = {Role.VIEWER, Role.FINANCE, Role.DEVELOPER, Role.OWNER}
MAY_ACT = {Role.FINANCE, Role.OWNER}


@pytest.mark.parametrize("deed", ["charge", "move", "end"])
def test_each_role_does_what_it_may(world: World, staff: dict[Role, Staff], deed: str) -> None:
    for role, one in staff.items():
        assert one.get("/agreements").status_code == (200 if role in MAY_LOOK else 403)
        number = signed(world, ahead=3, plan=False)
        day = (today(world) + timedelta(days=5)).isoformat()
        fields = {"number": f"{number}-{role}", "amount": "1.00", "subject": "Tea", "day": day}
        answer = one.post(f"/agreements/{number}/{deed}", fields)
        assert answer.status_code == (303 if role in MAY_ACT else 403), plain(answer.text)
        offered = f'data-open="{deed}"' in staff[Role.OWNER].get(f"/agreements/{number}").text
        assert offered == (role not in MAY_ACT or deed == "move")
