"""People, API keys and the trail over HTTP: what each role may do, what is shown once, what is told."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from itertools import count
from typing import NamedTuple

import httpx2
import pytest
import sqlalchemy as sa

from console.callers import Caller, text_of
from daozhang.console.people.deeds import DEEDS, SUBJECTS
from daozhang.console.people.room import ROOM
from daozhang.console.people.views import RIGHT_WORDS, ROLES
from daozhang.service.audit.store import audit_entries
from daozhang.service.auth.model import KeyMerchant, Scope
from daozhang.service.auth.store import list_keys
from daozhang.service.people.actions import change_own_language, disable_person, invite, list_people
from daozhang.service.people.apikeys import make_key
from daozhang.service.people.model import (
    RIGHTS,
    Language,
    NewPerson,
    Person,
    PersonStatus,
    Right,
    Role,
)
from daozhang.service.people.store import find_person
from people_here import add_person, deeds
from worlds import World, running

ALL_ROLES = tuple(Role)
numbers = count(1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("people")) as world:
        yield world


def somebody(world: World, name: str, *roles: Role) -> Person:
    """An active person of that role who reads English; an owner without any."""
    context = world.service.context
    person = add_person(context, f"{name}-{next(numbers)}", *roles)
    change_own_language(context, person, Language.ENGLISH)
    return read(world, person.id)


def read(world: World, person_id: int) -> Person:
    with world.service.context.database.read() as tx:
        found = find_person(tx, person_id)
    assert found is not None
    return found


@pytest.fixture
def owner(world: World) -> Generator[Caller]:
    with Caller(world, somebody(world, "owner")) as caller:
        yield caller


class Action(NamedTuple):
    """A route, what is sent to it, and the right that it takes (``None``: being signed in)."""

    method: str
    path: str
    right: Right | None
    fields: dict[str, str]


ACTIONS = (
    Action("GET", "/people", Right.PEOPLE_READ, {}),
    Action("GET", "/people/invite", Right.PEOPLE_WRITE, {}),
    Action(
        "POST",
        "/people/invite",
        Right.PEOPLE_WRITE,
        {"name": "New", "email": "{new}@example.com", "role_viewer": "yes", "reach": "all"},
    ),
    Action("GET", "/people/rights", None, {}),
    Action("GET", "/people/{person:int}", Right.PEOPLE_READ, {}),
    Action(
        "POST",
        "/people/{person:int}",
        Right.PEOPLE_WRITE,
        {"name": "Changed", "role_cashier": "yes", "reach": "all"},
    ),
    Action("POST", "/people/{person:int}/disable", Right.PEOPLE_WRITE, {}),
    Action("POST", "/people/{person:int}/enable", Right.PEOPLE_WRITE, {}),
    Action("POST", "/people/{person:int}/invite", Right.PEOPLE_WRITE, {}),
    Action("POST", "/people/{person:int}/sign_out", Right.PEOPLE_WRITE, {}),
    Action("GET", "/apikeys", Right.APIKEYS_READ, {}),
    Action("GET", "/apikeys/new", Right.APIKEYS_WRITE, {}),
    Action(
        "POST",
        "/apikeys/new",
        Right.APIKEYS_WRITE,
        {"name": "till", "merchant_shop": "yes", "scope_orders:read": "yes"},
    ),
    Action("POST", "/apikeys/{prefix}/revoke", Right.APIKEYS_WRITE, {}),
    Action("GET", "/trail", Right.AUDIT_READ, {}),
    Action("POST", "/trail/verify", Right.AUDIT_READ, {}),
    Action("POST", "/trail/export", Right.AUDIT_EXPORT, {"form": "csv"}),
)


def test_every_route_is_in_the_table() -> None:
    there = {(m, route.path) for route in ROOM.routes for m in (route.methods or ()) if m != "HEAD"}
    assert {(action.method, action.path) for action in ACTIONS} == there


@pytest.mark.parametrize("role", ALL_ROLES)
def test_each_role_does_what_its_rights_say_and_no_more(world: World, role: Role) -> None:
    who = somebody(world, f"role-{role}", role)
    with Caller(world, who) as caller:
        for number, action in enumerate(ACTIONS):
            target = somebody(world, f"target-{role}-{number}", Role.VIEWER)
            path = action.path.replace("{person:int}", str(target.id))
            if "{prefix}" in path:
                path = path.replace("{prefix}", key_of(world, f"{role}"))
            fields = {
                name: value.format(new=f"new-{role}-{number}")
                for name, value in action.fields.items()
            }
            answer = caller.get(path) if action.method == "GET" else caller.post(path, **fields)
            allowed = action.right is None or action.right in RIGHTS[role]
            assert (answer.status_code == 403) is not allowed, (action, answer.status_code)
            assert answer.status_code in ((200, 303) if allowed else (403,)), (action, answer.text)


def key_of(world: World, name: str) -> str:
    context = world.service.context
    boss = somebody(world, "boss")
    key, _ = make_key(
        context,
        boss,
        name=name,
        environment="emulator",
        merchants=[KeyMerchant(1, "shop")],
        scopes=[Scope.ORDERS_READ],
        refund_limit=None,
    )
    return key.prefix


def list_all_keys(world: World) -> list[str]:
    with world.service.context.database.read() as tx:
        return [key.prefix for key in list_keys(tx)]


def test_an_invitation_is_shown_once_and_lets_in(world: World, owner: Caller) -> None:
    asked = owner.get("/people/invite")
    assert asked.status_code == 200
    made = owner.post(
        "/people/invite",
        name="周明",
        email="Zhou@Example.com",
        role_finance="yes",
        role_cashier="yes",
        reach="some",
        merchant_shop="yes",
        language="zh",
    )
    assert made.status_code == 200
    found = re.search(r"/console/invitation/([\w-]+)", made.text)
    assert found is not None
    there = next(
        one
        for one in list_people(world.service.context, owner.person)
        if one.email == "zhou@example.com"
    )
    assert there.roles == {Role.FINANCE, Role.CASHIER}
    assert there.merchants == {1}
    for path in ("/people", f"/people/{there.id}", "/trail"):
        assert found.group(1) not in owner.get(path).text
    page = owner.get(f"/invitation/{found.group(1)}")
    assert "zhou@example.com" in page.text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "A", "email": "no address", "role_viewer": "yes"}, "not an email"),
        ({"name": "", "email": "a@example.com", "role_viewer": "yes"}, "1 to 64"),
        ({"name": "A", "email": "b@example.com"}, "needs a role"),
    ],
)
def test_what_is_wrong_with_an_invitation_is_said_and_what_was_typed_stays(
    owner: Caller, fields: dict[str, str], says: str
) -> None:
    answer = owner.post("/people/invite", reach="all", **fields)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert f'value="{fields["email"]}"' in answer.text


def test_an_email_is_invited_once(owner: Caller) -> None:
    answer = owner.post(
        "/people/invite", name="A", email=owner.person.email, role_viewer="yes", reach="all"
    )
    assert answer.status_code == 409
    assert "already" in text_of(answer)


def test_a_change_of_rights_ends_their_sessions(world: World, owner: Caller) -> None:
    target = somebody(world, "to-be-changed", Role.CASHIER)
    with Caller(world, target) as theirs:
        assert theirs.get("/devices").status_code == 200
        page = owner.get(f"/people/{target.id}")
        assert "a test" in text_of(page)
        changed = owner.post(f"/people/{target.id}", name="Anew", role_developer="yes", reach="all")
        assert changed.status_code == 303
        after = read(world, target.id)
        assert (after.name, after.roles) == ("Anew", {Role.DEVELOPER})
        assert theirs.get("/devices").status_code == 303


def test_somebody_disabled_is_out_at_once_and_can_come_back(world: World, owner: Caller) -> None:
    target = somebody(world, "to-be-disabled", Role.FINANCE)
    with Caller(world, target) as theirs:
        assert owner.post(f"/people/{target.id}/disable").status_code == 303
        assert theirs.get("/devices").status_code == 303
    assert read(world, target.id).status is PersonStatus.DISABLED
    refused = owner.post(f"/people/{target.id}/invite")
    assert refused.status_code == 422
    assert "enable them first" in text_of(refused)
    assert owner.post(f"/people/{target.id}/enable").status_code == 303
    assert read(world, target.id).status is PersonStatus.ACTIVE


def test_the_last_owner_stays(world: World, owner: Caller) -> None:
    for one in list_people(world.service.context, owner.person):
        if Role.OWNER in one.roles and one.id != owner.person.id:
            disable_person(world.service.context, owner.person, one.id)
    only = owner.person
    refused = owner.post(f"/people/{only.id}/disable")
    assert refused.status_code == 409
    assert "last active owner" in text_of(refused)
    lesser = owner.post(f"/people/{only.id}", name="only", role_viewer="yes", reach="all")
    assert lesser.status_code == 409
    assert read(world, only.id).roles == {Role.OWNER}
    other = somebody(world, "other")
    assert owner.post(f"/people/{only.id}/disable").status_code == 303
    assert owner.get("/people").status_code == 303
    assert read(world, other.id).status is PersonStatus.ACTIVE


def test_who_lost_their_phone_is_invited_again_without_their_factors(
    world: World, owner: Caller
) -> None:
    target = somebody(world, "lost-phone", Role.CASHIER)
    answer = owner.post(f"/people/{target.id}/invite", forget_factors="yes")
    assert answer.status_code == 200
    assert "/console/invitation/" in answer.text
    with world.service.context.database.read() as tx:
        newest = tx.execute(
            sa.select(audit_entries.c.detail)
            .where(audit_entries.c.action == "person.invited_again")
            .order_by(audit_entries.c.id.desc())
        ).scalars()
        assert json.loads(next(iter(newest)))["factors_forgotten"] is True


def test_what_is_grave_asks_again_who_one_is(world: World) -> None:
    boss, target = somebody(world, "grave"), somebody(world, "grave-target", Role.VIEWER)
    with Caller(world, boss) as caller:
        world.clock.advance(601)
        asked = caller.get("/people/invite")
        assert asked.status_code == 303
        assert asked.headers["location"].endswith(
            "/security/confirm?next=%2Fconsole%2Fpeople%2Finvite"
        )
        for path in (
            f"/people/{target.id}/disable",
            f"/people/{target.id}",
            "/apikeys/new",
            f"/apikeys/{key_of(world, 'grave')}/revoke",
        ):
            answer = caller.post(path, name="x", role_owner="yes", reach="all")
            assert "/security/confirm" in answer.headers["location"], path
        assert read(world, target.id).roles == {Role.VIEWER}


def test_a_key_is_shown_once_and_does_what_its_scopes_say(world: World, owner: Caller) -> None:
    made = owner.post(
        "/apikeys/new",
        name="网店",
        merchant_shop="yes",
        **{"scope_orders:read": "yes", "scope_refunds:write": "yes"},
        refund_limit="88.88",
    )
    assert made.status_code == 200
    found = re.search(r">(dz_[\w-]{20,})<", made.text)
    assert found is not None
    secret = found.group(1)
    listed = owner.get("/apikeys")
    assert secret not in listed.text
    assert "网店" in listed.text
    assert "88.88" in text_of(listed)
    assert call(world, secret) == 200
    assert "Never" not in row_of(owner.get("/apikeys"), "网店")
    assert owner.post(f"/apikeys/{secret[:12]}/revoke").status_code == 303
    assert call(world, secret) == 401
    assert "网店" not in owner.get("/apikeys").text
    assert "网店" in owner.get("/apikeys?state=revoked").text


def call(world: World, secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    return world.api.get("/v1/orders", headers=headers).status_code


def row_of(page: httpx2.Response, name: str) -> str:
    """The line of a table that holds ``name``."""
    return next(row for row in re.findall(r"<tr>.*?</tr>", page.text, re.DOTALL) if name in row)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "a", "merchant_shop": "yes"}, "needs a scope"),
        ({"name": "a", "scope_orders:read": "yes"}, "needs a merchant"),
        ({"merchant_shop": "yes", "scope_orders:read": "yes"}, "1 to 64"),
        (
            {
                "name": "a",
                "merchant_shop": "yes",
                "scope_orders:read": "yes",
                "refund_limit": "1e3",
            },
            "looks like 88.88",
        ),
    ],
)
def test_a_key_that_cannot_be_made_is_told_why(
    world: World, owner: Caller, fields: dict[str, str], says: str
) -> None:
    before = list_all_keys(world)
    answer = owner.post("/apikeys/new", **fields)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert list_all_keys(world) == before


def test_nobody_revokes_a_key_of_merchants_they_do_not_cover(world: World) -> None:
    prefix = key_of(world, "foreign")
    elsewhere = add_person(
        world.service.context, "owner-elsewhere", Role.OWNER, merchants=frozenset()
    )
    with Caller(world, elsewhere) as caller:
        assert prefix not in caller.get("/apikeys").text
        assert caller.post(f"/apikeys/{prefix}/revoke").status_code == 404


def test_the_trail_is_narrowed_by_who_what_and_when(world: World, owner: Caller) -> None:
    target = somebody(world, "for-the-trail", Role.VIEWER)
    owner.post(f"/people/{target.id}/disable")
    email = owner.person.email
    rows = rows_of(owner.get(f"/trail?by={email}"))
    assert len(rows) > 1
    assert all(email in row for row in rows)
    assert rows == rows_of(owner.get(f"/trail?by=person:{owner.person.id}"))
    keys = rows_of(owner.get("/trail?what=apikey"))
    assert keys
    assert all("an API key" in row for row in keys)
    assert rows_of(owner.get("/trail?from=2026-03-03")) == []
    assert rows_of(owner.get("/trail?to=2026-03-01")) == []
    assert rows_of(owner.get("/trail?from=2026-03-02&to=2026-03-02")) != []
    assert "Nothing fits" in text_of(owner.get("/trail?by=nobody@example.com"))


def rows_of(page: httpx2.Response) -> list[str]:
    assert page.status_code == 200
    body = re.search(r"<tbody>(.*)</tbody>", page.text, re.DOTALL)
    return [] if body is None else re.findall(r"<tr>.*?</tr>", body.group(1), re.DOTALL)


def test_the_trail_is_turned_page_by_page(world: World, owner: Caller) -> None:
    for number in range(60):
        owner.post(f"/people/{owner.person.id}", name=f"名{number}", role_owner="yes", reach="all")
    by = f"by=person:{owner.person.id}&what=person"
    first = owner.get(f"/trail?{by}")
    assert len(rows_of(first)) == 50
    onward = re.search(r'rel="next" href="/console([^"]+)"', first.text)
    assert onward is not None
    second = rows_of(owner.get(onward.group(1).replace("&amp;", "&")))
    assert second
    assert not {*second} & {*rows_of(first)}


def test_the_trail_is_proved_and_a_change_shows(world: World, owner: Caller) -> None:
    proved = owner.post("/trail/verify")
    assert "The trail is whole" in text_of(proved)
    assert re.search(r"\d+:[0-9a-f]{64}", proved.text)
    second = audit_entries.c.id == 2
    with world.service.context.database.begin() as tx:
        name = tx.execute(sa.select(audit_entries.c.actor_name).where(second)).scalar_one()
        tx.execute(sa.update(audit_entries).values(actor_name="x").where(second))
    broken = text_of(owner.post("/trail/verify"))
    with world.service.context.database.begin() as tx:
        tx.execute(sa.update(audit_entries).values(actor_name=name).where(second))
    assert "broken at row 2" in broken
    assert "was changed" in broken
    assert "The trail is whole" in text_of(owner.post("/trail/verify"))


def test_the_trail_is_taken_away_and_that_is_in_it(world: World, owner: Caller) -> None:
    taken = owner.post("/trail/export", form="jsonl")
    assert taken.headers["content-disposition"].endswith('.jsonl"')
    rows = [json.loads(line) for line in taken.text.splitlines()]
    assert [row["sequence"] for row in rows] == [*range(1, len(rows) + 1)]
    assert rows[-1]["action"] == "audit.exported"
    spread = owner.post("/trail/export", form="csv")
    assert spread.headers["content-type"].startswith("text/csv")
    assert spread.text.startswith("sequence,at,actor")
    none = owner.post("/trail/export", form="jsonl", to="2026-03-01")
    assert none.text == ""
    assert deeds(world.service.context)[-1] == (str(owner.person.actor), "audit.exported")


def test_whoever_covers_one_shop_reads_of_that_shop(world: World) -> None:
    scoped = add_person(
        world.service.context, "scoped-finance", Role.FINANCE, merchants=frozenset({1})
    )
    change_own_language(world.service.context, scoped, Language.ENGLISH)
    with Caller(world, scoped) as caller:
        assert all(">Shop<" in row for row in rows_of(caller.get("/trail")))


def test_every_right_role_and_deed_has_its_words(world: World) -> None:
    said = [right for rights in RIGHT_WORDS.values() for right in rights]
    assert sorted(said) == sorted(Right)
    assert {*ROLES} == {*Role}
    done = {action for _, action in deeds(world.service.context)}
    assert done <= {*DEEDS}
    assert {action.partition(".")[0] for action in DEEDS} == {*SUBJECTS}


def test_the_table_of_rights_is_the_one_that_is_asked(world: World, owner: Caller) -> None:
    page = owner.get("/people/rights")
    held: dict[str, list[bool]] = {}
    for row in re.findall(r'<tr><th scope="row">.*?</tr>', page.text, re.DOTALL):
        name = re.search(r"<code[^>]*>([^<]+)</code>", row)
        assert name is not None
        held[name.group(1)] = ["#check" in cell for cell in row.split("<td")[1:]]
    assert held == {right: [right in RIGHTS[role] for role in Role] for right in Right}


def test_an_invitation_of_a_new_owner_shows_what_they_will_be(world: World, owner: Caller) -> None:
    person, _ = invite(
        world.service.context,
        owner.person,
        NewPerson("next@example.com", "下一位", frozenset({Role.OWNER})),
    )
    page = text_of(owner.get(f"/people/{person.id}"))
    assert "Invited" in page
    assert "All merchants" in text_of(owner.get("/people"))
