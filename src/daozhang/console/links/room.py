"""Where the pages of pay links hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.links import routes
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.people.model import Right

ROOM: Final = Room(
    name="links",
    routes=[
        Route("/links", routes.list_page),
        Route("/links", routes.make_page, methods=["POST"]),
        Route("/links/new", routes.new_page),
        Route("/links/{link}", routes.link_page),
        Route("/links/{link}/close", routes.close_page, methods=["POST"]),
    ],
    links=[
        Link(
            title=word("Pay links"),
            icon="link",
            path="/links",
            right=Right.PAYLINKS_WRITE,
            group=Group.TILL,
            place=20,
            key="b",
        )
    ],
)
