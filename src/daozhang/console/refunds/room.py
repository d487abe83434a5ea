"""Where the pages of refunds hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.refunds import routes
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.people.model import Right

ROOM: Final = Room(
    name="refunds",
    routes=[
        Route("/refunds", routes.list_page),
        Route("/refunds/{refund}", routes.refund_page),
    ],
    links=[
        Link(
            title=word("Refunds"),
            icon="arrow-back-up",
            path="/refunds",
            right=Right.REFUNDS_READ,
            group=Group.MONEY,
            place=30,
            key="r",
        )
    ],
)
