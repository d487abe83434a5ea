"""What tests of merchants and keys do again and again: people, and an app step by step."""

from __future__ import annotations

import re
from itertools import count

import httpx2

from console.callers import Caller, text_of
from daozhang.service.merchants.model import App, Merchant
from daozhang.service.merchants.store import list_apps, list_merchants
from daozhang.service.people.actions import change_own_language
from daozhang.service.people.model import Language, Person, Role
from daozhang.service.people.store import find_person
from people_here import add_person
from worlds import World

numbers = count(1)


def somebody(world: World, name: str, *roles: Role) -> Person:
    """An active person of that role who reads English; an owner without any."""
    context = world.service.context
    person = add_person(context, f"{name}-{next(numbers)}", *roles)
    change_own_language(context, person, Language.ENGLISH)
    with context.database.read() as tx:
        found = find_person(tx, person.id)
    assert found is not None
    return found


def begin(caller: Caller) -> str:
    """The address of a new draft."""
    return located(caller.post("/apps/new"))


def located(answer: httpx2.Response) -> str:
    assert answer.status_code == 303, text_of(answer)
    return answer.headers["location"].removeprefix("/console")


def app_step(world: World, caller: Caller, path: str, given: dict[str, str]) -> httpx2.Response:
    return caller.post(
        f"{path}/app",
        environment="emulator",
        app_id=given["app_id"],
        name="茶铺",
        gateway_url=given["gateway_url"],
    )


def given_to(world: World) -> dict[str, str]:
    """An app that the emulator knows and nobody has used."""
    return world.emulator.credentials(f"new-{next(numbers)}")


def upload(world: World, app_id: str, public_key: str) -> None:
    """The merchant uploads a public key on Alipay's page."""
    answer = httpx2.post(
        f"{world.emulator.base_url}/_control/app_keys/{app_id}",
        json={"public_key": public_key},
        trust_env=False,
        verify=False,
    )
    assert answer.status_code == 200, answer.text


def shown_key(page: httpx2.Response) -> str:
    found = re.search(r'data-copy="(MII[^"]+)"', page.text)
    assert found is not None
    return found.group(1)


def row_of_app(world: World, app_id: str) -> App:
    with world.service.context.database.read() as tx:
        return next(one for one in list_apps(tx) if one.app_id == app_id)


def merchant_of(world: World, slug: str) -> Merchant:
    with world.service.context.database.read() as tx:
        return next(one for one in list_merchants(tx) if one.slug == slug)
