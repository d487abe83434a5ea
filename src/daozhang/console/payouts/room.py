"""Where the pages of payouts hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.payouts import routes
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.people.model import Right

ROOM: Final = Room(
    name="payouts",
    routes=[
        Route("/payouts", routes.payouts_page),
        Route("/payouts", routes.ask, methods=["POST"]),
    ],
    links=[
        Link(
            title=word("Payouts"),
            icon="calendar-dollar",
            path="/payouts",
            right=Right.LEDGER_READ,
            group=Group.MONEY,
            place=65,
            key="p",
        )
    ],
)
