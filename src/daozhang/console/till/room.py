"""Where the pages of the till hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.rooms import Group, Link, Room
from daozhang.console.till import routes
from daozhang.console.words import word
from daozhang.service.people.model import Right

_POST: Final = ["POST"]

ROOM: Final = Room(
    name="till",
    routes=[
        Route("/till", routes.till_page),
        Route("/till", routes.sell_page, methods=_POST),
        Route("/till/shift", routes.open_shift_page, methods=_POST),
        Route("/till/find", routes.find_page),
        Route("/till/{number}", routes.sale_page),
        Route("/till/{number}/code", routes.show_code_again, methods=_POST),
        Route("/till/{number}/scan", routes.scan_page, methods=_POST),
        Route("/till/{number}/cancel", routes.cancel_page, methods=_POST),
        Route("/till/{number}/refund", routes.refund_page, methods=_POST),
    ],
    links=[
        Link(
            title=word("Till"),
            icon="cash-register",
            path="/till",
            right=Right.TILL_USE,
            group=Group.TILL,
            place=10,
            key="t",
        )
    ],
)
