"""Holds in the console: where the money is, what happened, and who may take or let go."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from console.staff import Staff, hidden, plain, rows
from daozhang.service.people.model import Role
from holding import create, frozen, parts, read, scan
from people_here import deeds
from worlds import World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(Path(tmp_path_factory.mktemp("holds"))) as world:
        yield world


@pytest.fixture(scope="module")
def staff(world: World) -> Iterator[dict[Role, Staff]]:
    people = {role: Staff(world.service.context, role) for role in Role}
    yield people
    for one in people.values():
        one.close()


def take(world: World, who: Staff, number: str, amount: str, **more: str) -> str:
    """Takes by the form of the page; the number under which it was asked for."""
    own = hidden(who.get(f"/holds/{number}").text, "number")
    fields = {"number": own, "amount": amount, "subject": "Minibar", **more}
    assert who.do(f"/holds/{number}/capture", fields) == f"/holds/{number}"
    world.settle()
    return own


def test_money_is_taken_and_let_go_and_the_bar_always_adds_up(
    world: World, staff: dict[Role, Staff]
) -> None:
    number, finance = frozen(world), staff[Role.FINANCE]
    own = take(world, finance, number, "120.00")
    # The same form again is the same payment.
    again = {"number": own, "amount": "120.00", "subject": "Minibar"}
    assert finance.do(f"/holds/{number}/capture", again)
    world.settle()
    assert parts(world, number) == ("500.00", "120.00", "0.00", "380.00")
    own = hidden(finance.get(f"/holds/{number}").text, "number")
    fields = {"number": own, "amount": "80.00", "remark": "left early"}
    finance.do(f"/holds/{number}/release", fields)
    world.settle()
    assert parts(world, number) == ("500.00", "120.00", "80.00", "300.00")
    page = finance.get(f"/holds/{number}").text
    said = plain(page)
    assert "Taken 120.00 CNY Let go 80.00 CNY Still frozen 300.00 CNY" in said
    assert "80.00 was let go: it is the buyer's again." in said
    for strip, start, width in (
        ("captured", 0, 240),
        ("released", 240, 160),
        ("remaining", 400, 600),
    ):
        assert f'class="strip-{strip}" x="{start}" width="{width}"' in page
    by = str(finance.person.actor)
    done = [deed for who, deed in deeds(world.service.context) if who == by]
    assert done.count("hold.capture_asked") == 1
    assert done.count("hold.release_asked") == 1
    assert "personal.viewed" in done, "finance sees the buyer, and that is written down"


def test_the_last_one_lets_the_rest_go(world: World, staff: dict[Role, Staff]) -> None:
    number, owner = frozen(world), staff[Role.OWNER]
    take(world, owner, number, "100.00", completes="yes")
    world.advance(60)
    assert read(world, number)["status"] == "finished"
    assert "nothing of the hold is frozen any more" in owner.read(f"/holds/{number}")
    assert (
        "data-open"
        not in owner.get(f"/holds/{number}")
        .text.partition('id="hold"')[2]
        .partition("</header>")[0]
    )


def test_more_than_remains_is_refused_with_a_sentence(
    world: World, staff: dict[Role, Staff]
) -> None:
    number, owner = frozen(world), staff[Role.OWNER]
    own = hidden(owner.get(f"/holds/{number}").text, "number")
    for deed in ("capture", "release"):
        for amount, status in (("500.01", 409), ("0", 422), ("1e2", 422), ("-5", 422)):
            answer = owner.post(f"/holds/{number}/{deed}", {"number": own, "amount": amount})
            assert answer.status_code == status, (deed, amount, plain(answer.text))
        assert owner.post(f"/holds/{number}/{deed}", {"amount": "1.00"}).status_code == 403
    assert parts(world, number) == ("500.00", "0.00", "0.00", "500.00")


def test_one_that_nobody_confirmed_is_given_up(world: World, staff: dict[Role, Staff]) -> None:
    number, finance = create(world), staff[Role.FINANCE]
    scan(world, number, "asks")
    assert "Give up" in finance.read(f"/holds/{number}")
    finance.do(f"/holds/{number}/cancel")
    world.advance(60)
    assert read(world, number)["status"] == "closed"
    assert finance.post(f"/holds/{frozen(world)}/cancel").status_code == 409


def test_holds_are_listed_by_state(world: World, staff: dict[Role, Staff]) -> None:
    viewer = staff[Role.VIEWER]
    one, other = frozen(world), create(world)
    assert {one, other} <= {*rows(viewer.get("/holds").text)}
    assert one in rows(viewer.get("/holds?state=authorized").text)
    assert other not in rows(viewer.get("/holds?state=authorized").text)
    assert "No hold stands like that" in viewer.read("/holds?state=waiting")
    assert viewer.get("/holds/none").status_code == 404
    assert "****" in viewer.read(f"/holds/{one}")
    assert "****" not in staff[Role.FINANCE].read(f"/holds/{one}")
    by = str(viewer.person.actor)
    assert (by, "personal.viewed") not in deeds(world.service.context)


MAY_LOOK = {Role.VIEWER, Role.FINANCE, Role.DEVELOPER, Role.OWNER}
MAY_ACT = {Role.FINANCE, Role.OWNER}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("deed", ["capture", "release", "cancel"])
def test_each_role_does_what_it_may(
    world: World, staff: dict[Role, Staff], role: Role, deed: str
) -> None:
    one = staff[role]
    assert one.get("/holds").status_code == (200 if role in MAY_LOOK else 403)
    number = create(world) if deed == "cancel" else frozen(world)
    fields = {"number": f"{role}-{deed}", "amount": "1.00", "subject": "Tea"}
    answer = one.post(f"/holds/{number}/{deed}", fields)
    assert answer.status_code == (303 if role in MAY_ACT else 403), plain(answer.text)
    offered = f'data-open="{deed}"' in staff[Role.OWNER].get(f"/holds/{number}").text
    assert offered == (deed != "cancel" or role not in MAY_ACT)
