"""A desk: somebody signed in to the console over plain HTTP, without a browser."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2

from daozhang.service.people.actions import change_own_language
from daozhang.service.people.model import Language, Person, Role
from people_here import PASSWORD, add_person
from worlds import World

_CSRF = re.compile(r'<meta name="csrf" content="([^"]+)"')


class Desk:
    """Sends what a browser would send, with the proof that a page of ours gave."""

    def __init__(self, client: httpx2.Client, person: Person) -> None:
        self.client = client
        self.person = person

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """A page."""
        return self.client.get(f"/console{path}", headers=headers)

    def post(self, path: str, fields: Mapping[str, str] | None = None) -> httpx2.Response:
        """A form, as the page that holds it sends it; where it leads to is not followed."""
        proof = _CSRF.search(self.get("/devices").text)
        assert proof is not None
        return self.client.post(
            f"/console{path}", data={**(fields or {}), "csrf": proof[1]}, follow_redirects=False
        )


@contextmanager
def desk(
    world: World, name: str, *roles: Role, language: str = "en", **more: Any
) -> Generator[Desk]:
    """Somebody of that name with those roles, signed in; an owner if none is given."""
    context = world.service.context
    person = add_person(context, name, *roles, **more)
    change_own_language(context, person, Language(language))
    with httpx2.Client(
        base_url=context.settings.public_url, timeout=60, trust_env=False, follow_redirects=True
    ) as client:
        door = client.get("/console/sign_in")
        proof = re.search(r'name="csrf" value="([^"]+)"', door.text)
        assert proof is not None, door.text
        entered = client.post(
            "/console/sign_in",
            data={"csrf": proof[1], "email": person.email, "password": PASSWORD},
        )
        assert entered.status_code == 200, entered.text
        yield Desk(client, person)
