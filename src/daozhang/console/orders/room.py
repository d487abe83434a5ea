"""Where the pages of orders hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.orders import routes
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.people.model import Right

ROOM: Final = Room(
    name="orders",
    routes=[
        Route("/orders", routes.list_page),
        Route("/orders/{out_trade_no}", routes.order_page),
    ],
    links=[
        Link(
            title=word("Orders"),
            icon="receipt",
            path="/orders",
            right=Right.ORDERS_READ,
            group=Group.MONEY,
            place=20,
            key="o",
        )
    ],
)
