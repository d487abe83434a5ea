"""Where the pages of orders hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.orders import acting, exporting, routes
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.people.model import Right

_POST: Final = ["POST"]

ROOM: Final = Room(
    name="orders",
    routes=[
        Route("/orders", routes.list_page),
        Route("/columns", routes.choose_columns, methods=_POST),
        Route("/exports", exporting.exports_page),
        Route("/exports", exporting.ask, methods=_POST),
        Route("/exports/{export}", exporting.take),
        Route("/orders/{out_trade_no}", routes.order_page),
        Route("/orders/{out_trade_no}/refund", acting.refund, methods=_POST),
        Route("/orders/{out_trade_no}/approval", acting.decide, methods=_POST),
        Route("/orders/{out_trade_no}/close", acting.close, methods=_POST),
        Route("/orders/{out_trade_no}/query", acting.query, methods=_POST),
        Route("/orders/{out_trade_no}/resend", acting.resend, methods=_POST),
        Route("/orders/{out_trade_no}/buyer", acting.show_buyer, methods=_POST),
        Route(
            "/orders/{out_trade_no}/notifications/{notification}",
            routes.notification_page,
            methods=["GET", "POST"],
        ),
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
        ),
        Link(
            title=word("Exports"),
            icon="table-export",
            path="/exports",
            right=Right.ORDERS_EXPORT,
            group=Group.MONEY,
            place=25,
        ),
    ],
)
