"""Where the pages of surprises hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.rooms import Group, Link, Room
from daozhang.console.surprises import routes
from daozhang.console.words import word
from daozhang.service.people.model import Right

_ONE: Final = "/surprises/{surprise_id:int}"

ROOM: Final = Room(
    name="surprises",
    routes=[
        Route("/surprises", routes.list_page),
        Route(_ONE, routes.surprise_page),
        Route(f"{_ONE}/{{deed}}", routes.deed_page, methods=["POST"]),
    ],
    links=[
        Link(
            title=word("Surprises"),
            icon="alert-triangle",
            path="/surprises",
            right=Right.SURPRISES_READ,
            group=Group.MONEY,
            place=60,
            key="s",
        )
    ],
)
