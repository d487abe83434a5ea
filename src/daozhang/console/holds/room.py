"""Where the pages of holds hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.holds import routes
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.people.model import Right

ROOM: Final = Room(
    name="holds",
    routes=[
        Route("/holds", routes.list_page),
        Route("/holds/{hold}", routes.hold_page),
        Route("/holds/{hold}/capture", routes.capture, methods=["POST"]),
        Route("/holds/{hold}/release", routes.release, methods=["POST"]),
        Route("/holds/{hold}/cancel", routes.cancel, methods=["POST"]),
    ],
    links=[
        Link(
            title=word("Holds"),
            icon="lock-dollar",
            path="/holds",
            right=Right.HOLDS_READ,
            group=Group.MONEY,
            place=40,
            key="f",
        )
    ],
)
