"""Keys that change while money comes in: what waits, for whom, and when the new one acts."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from console.apps import (
    app_step,
    begin,
    given_to,
    located,
    merchant_of,
    numbers,
    row_of_app,
    shown_key,
    somebody,
    upload,
)
from console.callers import Caller, text_of
from daozhang.alipay.keys import PrivateKey
from daozhang.service.keys.checking import new_private_key
from daozhang.service.keys.store import list_changes
from daozhang.service.merchants.actions import check_keys
from people_here import deeds
from worlds import World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("keys")) as world:
        yield world


@pytest.fixture
def owner(world: World) -> Generator[Caller]:
    with Caller(world, somebody(world, "owner")) as caller:
        yield caller


@pytest.fixture
def other(world: World) -> Generator[Caller]:
    with Caller(world, somebody(world, "other")) as caller:
        yield caller


@pytest.fixture
def app(world: World, owner: Caller) -> tuple[str, dict[str, str]]:
    """The address of the page of a new app with a merchant, and what the emulator knows of it."""
    given = given_to(world)
    path = begin(owner)
    located(app_step(world, owner, path, given))
    located(owner.post(f"{path}/key", private_key=given["app_private_key_pkcs1"]))
    located(owner.post(f"{path}/alipay", alipay_public_key=given["alipay_public_key"]))
    assert "its own answer verified" in text_of(owner.post(f"{path}/prove"))
    slug = f"m{next(numbers)}"
    located(owner.post(f"{path}/finish", slug=slug, name=slug, seller_id=given["seller_id"]))
    return f"/apps/{row_of_app(world, given['app_id']).id}", {**given, "slug": slug}


def waiting(world: World, page: str) -> str:
    """The address of the change that waits."""
    with world.service.context.database.read() as tx:
        newest = list_changes(tx, int(page.rpartition("/")[2]), 1)[0]
    return f"{page}/changes/{newest.id}"


def proves(world: World, slug: str) -> bool:
    """Whether the keys in use work at Alipay's, now."""
    service = world.service
    client = service.clients.client_for(merchant_of(world, slug).id)
    return check_keys(client, world.clock.now()).result.value == "proved"


def test_the_apps_own_key_changes_in_the_moment_in_which_alipay_takes_it(
    world: World, owner: Caller, app: tuple[str, dict[str, str]]
) -> None:
    page, given = app
    located(owner.post(f"{page}/own_key"))
    shown = owner.get(page)
    assert "Until then the present key acts alone." in text_of(shown)
    assert "A new key waits" in text_of(owner.get("/merchants"))
    new = shown_key(shown)
    twice = owner.post(f"{page}/own_key")
    assert twice.status_code == 409
    located(owner.post(f"{waiting(world, page)}/ask"))
    assert "Alipay does not take it yet" in text_of(owner.get(page))
    assert proves(world, given["slug"])
    upload(world, given["app_id"], new)
    # Nobody clicks: it is asked about by itself.
    world.advance(20)
    assert proves(world, given["slug"])
    assert "acts alone" not in text_of(owner.get(page))
    assert ("system:daozhang", "app.own_key_changed") in deeds(world.service.context)


def test_a_new_key_of_alipays_takes_a_live_answer_and_a_second_owner(
    world: World, owner: Caller, other: Caller, app: tuple[str, dict[str, str]]
) -> None:
    page, given = app
    own = PrivateKey.load(given["app_private_key_pkcs1"]).public.base64()
    assert "your own app public key" in text_of(
        owner.post(f"{page}/alipay_key", alipay_public_key=own)
    )
    before = row_of_app(world, given["app_id"]).alipay_public_key
    same = owner.post(f"{page}/alipay_key", alipay_public_key=before or "")
    assert "in use already" in text_of(same)
    world.emulator.rotate()
    new = world.emulator.credentials("shop")["alipay_public_key"]
    located(owner.post(f"{page}/alipay_key", alipay_public_key=new))
    change = waiting(world, page)
    # The live answer verifies; that alone is not enough.
    located(owner.post(f"{change}/ask"))
    assert row_of_app(world, given["app_id"]).alipay_public_key == before
    assert "Another owner than you" in text_of(owner.get(page))
    refused = owner.post(f"{change}/approve")
    assert refused.status_code == 403
    assert row_of_app(world, given["app_id"]).alipay_public_key == before
    assert "compare the key" in text_of(other.get(page))
    located(other.post(f"{change}/approve", note="核对过"))
    after = row_of_app(world, given["app_id"])
    assert after.alipay_public_key == new
    assert proves(world, given["slug"])
    # The former one still verifies what Alipay repeats, for two days.
    keys = world.service.clients.verifying_keys_for
    assert [key.base64() for key in keys(merchant_of(world, given["slug"])).keys] == [new, before]
    assert "former key still verifies" in text_of(owner.get(page))
    world.clock.advance(48 * 3600)
    assert [key.base64() for key in keys(merchant_of(world, given["slug"])).keys] == [new]
    done = [deed for _, deed in deeds(world.service.context)]
    assert done.index("app.alipay_key_given") < done.index("app.alipay_key_changed")


def test_an_approval_does_not_do_without_a_live_answer(
    world: World, owner: Caller, other: Caller, app: tuple[str, dict[str, str]]
) -> None:
    page, given = app
    before = row_of_app(world, given["app_id"]).alipay_public_key
    forged = new_private_key().public.base64()
    located(owner.post(f"{page}/alipay_key", alipay_public_key=forged))
    change = waiting(world, page)
    located(other.post(f"{change}/approve"))
    world.advance(120)
    assert row_of_app(world, given["app_id"]).alipay_public_key == before
    shown = text_of(other.get(page))
    assert "No answer that can be believed" in shown
    located(owner.post(f"{change}/drop"))
    assert "Dropped" in text_of(owner.get(page))
    world.advance(120)
    assert row_of_app(world, given["app_id"]).alipay_public_key == before


def test_what_is_declined_never_acts_and_makes_room(
    world: World, owner: Caller, other: Caller, app: tuple[str, dict[str, str]]
) -> None:
    page, given = app
    before = row_of_app(world, given["app_id"]).alipay_public_key
    first, second = (new_private_key().public.base64() for _ in range(2))
    located(owner.post(f"{page}/alipay_key", alipay_public_key=first))
    change = waiting(world, page)
    assert owner.post(f"{page}/alipay_key", alipay_public_key=second).status_code == 409
    located(other.post(f"{change}/drop"))
    assert other.post(f"{change}/approve").status_code == 404
    located(owner.post(f"{page}/alipay_key", alipay_public_key=second))
    # Nobody decides: after three days it cannot be approved, and another one may be given.
    late = waiting(world, page)
    world.clock.advance(3 * 24 * 3600 + 60)
    world.settle()
    with Caller(world, other.person) as later:
        assert later.post(f"{late}/approve").status_code == 409
        assert "nobody decided in time" in text_of(later.get(page))
        located(later.post(f"{page}/alipay_key", alipay_public_key=first))
    assert row_of_app(world, given["app_id"]).alipay_public_key == before
