"""Where the pages of the bank hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.bank import routes, statements
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.people.model import Right

ROOM: Final = Room(
    name="bank",
    routes=[
        Route("/bank", routes.open_page),
        Route("/bank/matches", routes.matches_page),
        Route("/bank/match", routes.match_page, methods=["POST"]),
        Route("/bank/statement", statements.give_page),
        Route("/bank/statement", statements.give, methods=["POST"]),
    ],
    links=[
        Link(
            title=word("Bank"),
            icon="building-bank",
            path="/bank",
            right=Right.LEDGER_READ,
            group=Group.MONEY,
            place=66,
            key="i",
        )
    ],
)
