"""Where the pages of shifts hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.rooms import Group, Link, Room
from daozhang.console.shifts import routes
from daozhang.console.words import word
from daozhang.service.people.model import Right

_POST: Final = ["POST"]

ROOM: Final = Room(
    name="shifts",
    routes=[
        Route("/shifts", routes.list_page),
        Route("/shifts/limit", routes.limit_page, methods=_POST),
        Route("/shifts/{shift}", routes.shift_page),
        Route("/shifts/{shift}/hand_over", routes.hand_over_page, methods=_POST),
        Route("/shifts/{shift}/take", routes.take_page, methods=_POST),
    ],
    links=[
        Link(
            title=word("Shifts"),
            icon="arrows-exchange",
            path="/shifts",
            right=Right.TILL_USE,
            group=Group.TILL,
            place=30,
        )
    ],
)
