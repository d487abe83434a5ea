"""Where the pages of agreements hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.agreements import routes
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.people.model import Right

ROOM: Final = Room(
    name="agreements",
    routes=[
        Route("/agreements", routes.list_page),
        Route("/agreements/{agreement}", routes.agreement_page),
        Route("/agreements/{agreement}/charge", routes.charge, methods=["POST"]),
        Route("/agreements/{agreement}/move", routes.move, methods=["POST"]),
        Route("/agreements/{agreement}/end", routes.end, methods=["POST"]),
    ],
    links=[
        Link(
            title=word("Agreements"),
            icon="repeat",
            path="/agreements",
            right=Right.AGREEMENTS_READ,
            group=Group.MONEY,
            place=50,
            key="e",
        )
    ],
)
