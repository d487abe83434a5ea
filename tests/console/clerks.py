"""People who use the console by its pages, without a browser: signed in by the door, forms and all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from itertools import count

import httpx2

from daozhang.service.people.model import Language, Person, Role
from people_here import PASSWORD, add_person
from worlds import World

_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
_FIELD = re.compile(r"<input\b([^>]*)>")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')

names = count(1)


class Clerk:
    """One person at one screen."""

    def __init__(self, world: World, *roles: Role, name: str = "cashier") -> None:
        context = world.service.context
        self.world = world
        self.person: Person = add_person(context, f"{name}{next(names)}", *roles)
        self.base = f"{str(world.api.base_url).rstrip('/')}/console"
        self.http = httpx2.Client(timeout=60, trust_env=False, verify=False)
        door = self.http.get(f"{self.base}/sign_in")
        fields = {"email": self.person.email, "password": PASSWORD}
        entered = self.press(door, "/sign_in", **fields)
        assert entered.status_code == 303, entered.text

    def open(self, path: str) -> httpx2.Response:
        """A page of the shop's, following where it leads."""
        return self.http.get(f"{self.base}/m/shop{path}", follow_redirects=True)

    def press(self, page: httpx2.Response, action: str, **fields: str) -> httpx2.Response:
        """Sends the form of ``page`` whose address ends so, with those fields filled in."""
        for attributes, inside in _FORM.findall(page.text):
            given = dict(_ATTRIBUTE.findall(attributes))
            address = unescape(given.get("action", ""))
            if address.endswith(action) and given.get("method") == "post":
                return self.http.post(
                    str(httpx2.URL(str(page.url)).join(address)), data=_fields(inside) | fields
                )
        raise AssertionError(f"no form leads to {action}: {page.text}")

    def send(self, path: str, **fields: str) -> httpx2.Response:
        """Sends a form of one's own making, with this session's proof, as whoever meddles would."""
        page = self.http.get(f"{self.base}/devices").text
        token = re.search(r'name="csrf" content="([^"]+)"', page)
        assert token is not None
        return self.http.post(f"{self.base}/m/shop{path}", data={"csrf": token[1]} | fields)


class Staff:
    """Everybody who works here; their connections end with the block."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._clerks: list[Clerk] = []

    def __call__(self, *roles: Role, name: str = "cashier") -> Clerk:
        """Somebody new with those roles, signed in and reading English."""
        clerk = Clerk(self._world, *roles, name=name)
        speak(clerk, Language.ENGLISH)
        self._clerks.append(clerk)
        return clerk

    def __enter__(self) -> Staff:
        return self

    def __exit__(self, *_exception: object) -> None:
        for clerk in self._clerks:
            clerk.http.close()


def _fields(inside: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in _FIELD.findall(inside):
        given = dict(_ATTRIBUTE.findall(text))
        skipped = given.get("type") in ("radio", "checkbox") and " checked" not in text
        if "name" in given and not skipped:
            found[given["name"]] = unescape(given.get("value", ""))
    return found


def location(answer: httpx2.Response) -> str:
    """Where an answer leads, below the shop's pages."""
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("/m/shop")[2]


def speak(clerk: Clerk, language: Language) -> None:
    """Chooses the language, as one does in the menu."""
    token = re.search(
        r'name="csrf" content="([^"]+)"', clerk.http.get(f"{clerk.base}/devices").text
    )
    assert token is not None
    data: Mapping[str, str] = {"csrf": token[1], "language": language.value, "next": ""}
    assert clerk.http.post(f"{clerk.base}/preferences", data=dict(data)).status_code == 303
