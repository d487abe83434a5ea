"""Rooms: the families of pages, found by themselves.

A family is a package of the console with a module ``room`` that holds ``ROOM``. Whoever adds one
changes no file of another's: routes, menu and keyboard are put together here.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from starlette.routing import Route

from daozhang.service.people.model import Person, Right
from daozhang.service.web.context import Context

MERCHANT: Final = "/m/{merchant}"
"""What stands before the addresses of pages that are about one merchant. It is in the address, not
in a cookie: money moved in one tab never goes by what was chosen in another."""


class Group(IntEnum):
    """The parts of the menu, from above."""

    MONEY = 0
    TILL = 1
    CONNECTIONS = 2
    HOUSE = 3


@dataclass(frozen=True, slots=True)
class Link:
    """A line of the menu. ``path`` lies below the room's own place; ``key``: ``g`` and this leads there."""

    title: str
    icon: str
    path: str
    right: Right
    group: Group
    place: int
    key: str | None = None
    count: Callable[[Context, Person, int], int] | None = None
    """How much waits there for a person, of one merchant: shown beside the title."""
    live: str = ""
    """The topics that change the count."""


@dataclass(frozen=True, slots=True)
class Room:
    """A family of pages: its routes, and its lines of the menu."""

    name: str
    routes: Sequence[Route]
    links: Sequence[Link] = ()
    of_merchant: bool = True
    routes_of_all: Sequence[Route] = ()
    """Of a room of a merchant: pages about all merchants of a person together."""


@cache
def find_rooms() -> tuple[Room, ...]:
    """All rooms of the console, in the order of their names."""
    package = import_module("daozhang.console")
    found: list[Room] = []
    for module in pkgutil.iter_modules(package.__path__, "daozhang.console."):
        if module.ispkg and find_spec(f"{module.name}.room") is not None:
            room = import_module(f"{module.name}.room").ROOM
            assert isinstance(room, Room)
            found.append(room)
    links = [link for room in found for link in room.links]
    keys = [link.key for link in links if link.key is not None]
    assert len(keys) == len({*keys}), f"two lines of the menu have one key: {sorted(keys)}"
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the menu as one visitor sees it."""

    link: Link
    address: str
    is_here: bool


def menu(rights: frozenset[Right], base: str, merchant: str | None, here: str) -> list[list[Line]]:
    """The menu of somebody with ``rights``, by groups. ``here`` is the name of the room they are in."""
    groups: dict[Group, list[Line]] = {group: [] for group in Group}
    for room in find_rooms():
        if room.of_merchant and merchant is None:
            continue
        start = f"{base}/m/{merchant}" if room.of_merchant else base
        for link in room.links:
            if link.right in rights:
                line = Line(link, start + link.path, f"{room.name}{link.path}" == here)
                groups[link.group].append(line)
    return [sorted(lines, key=lambda line: line.link.place) for lines in groups.values() if lines]
