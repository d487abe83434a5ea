"""A second factor: demanded before anything else of whoever moves real money or holds keys."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from pyotp.totp import TOTP

from console.callers import Caller, text_of
from daozhang.service.people.factors import begin_totp, finish_totp
from daozhang.service.people.model import Person, Role
from daozhang.service.people.store import find_person
from people_here import add_person
from worlds import World, running

MOVES_OR_HOLDS = {Role.OWNER, Role.FINANCE, Role.DEVELOPER}


@pytest.fixture(scope="module", params=["emulator", "sandbox", "production"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[World]:
    directory = tmp_path_factory.mktemp(request.param)
    environments = {"emulator", request.param}
    # Where money is real the settings want the machine's own clock; the test pushes its own anyway.
    clock = "system" if request.param == "production" else "manual"
    with running(directory, chosen={"environments": environments, "clock": clock}) as world:
        yield world


def is_demanded(world: World, role: Role) -> bool:
    return role in MOVES_OR_HOLDS and len(world.service.context.settings.environments) > 1


@pytest.mark.parametrize("role", tuple(Role))
def test_it_is_demanded_of_each_role_where_money_can_be_real(world: World, role: Role) -> None:
    who = add_person(world.service.context, f"new-{role}", role)
    with Caller(world, who) as caller:
        doors = [
            caller.get("/people/rights"),
            caller.get("/m/shop/orders"),
            caller.get("/devices"),
            caller.post("/people/invite", name="x", email="x@example.com", role_owner="yes"),
            caller.post("/devices/end", session="none"),
        ]
        for answer in doors:
            sent_away = answer.headers.get("location", "").endswith("/console/security")
            assert sent_away is is_demanded(world, role), answer.url
        # There it is set up, and one can leave.
        assert caller.get("/security").status_code == 200
        assert caller.get("/security/app").status_code == 200
        assert caller.post("/sign_out").headers["location"].endswith("/sign_in")


def test_once_it_is_set_up_everything_opens(world: World) -> None:
    who = add_person(world.service.context, "careful")
    with Caller(world, who) as caller:
        assert (caller.get("/people").status_code == 303) is is_demanded(world, Role.OWNER)
        set_up_app(world, caller)
        assert caller.get("/people").status_code == 200
        # And the session that it was set up in is the one that goes on.
        assert "careful" in text_of(caller.get("/people"))


def set_up_app(world: World, caller: Caller) -> Person:
    context = world.service.context
    secret, _ = begin_totp(context, caller.person, caller.session)
    code = TOTP(secret).at(context.clock.now())
    finish_totp(context, caller.person, caller.session, code)
    with context.database.read() as tx:
        found = find_person(tx, caller.person.id)
    assert found is not None
    assert found.has_totp
    return found
