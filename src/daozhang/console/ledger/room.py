"""Where the pages of the ledger hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.ledger import booking, routes, settings
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.people.model import Right

ROOM: Final = Room(
    name="ledger",
    routes=[
        Route("/ledger", routes.trial_balance_page),
        Route("/ledger/moment", routes.moment_page),
        Route("/ledger/new", booking.new_page, methods=["GET", "POST"]),
        Route("/ledger/entry", routes.entry_page),
        Route("/ledger/entry/take_back", booking.take_back, methods=["POST"]),
        Route("/ledger/settings", settings.settings_page, methods=["GET", "POST"]),
        Route("/ledger/{account}", routes.account_page),
    ],
    links=[
        Link(
            title=word("Ledger"),
            icon="book-2",
            path="/ledger",
            right=Right.LEDGER_READ,
            group=Group.MONEY,
            place=70,
            key="l",
        )
    ],
)
