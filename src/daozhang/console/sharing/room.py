"""Where the pages of sharing hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.rooms import Group, Link, Room
from daozhang.console.sharing import plans, receivers, settlements, sharing
from daozhang.console.words import word
from daozhang.service.people.model import Right

ROOM: Final = Room(
    name="sharing",
    routes=[
        Route("/sharing", receivers.register_page),
        Route("/sharing/settings", receivers.settings_page, methods=["GET", "POST"]),
        Route("/sharing/receivers/new", receivers.bind_page, methods=["GET", "POST"]),
        Route("/sharing/receivers/unbind", receivers.unbind, methods=["POST"]),
        Route("/sharing/plans/new", plans.plan_page, methods=["GET", "POST"]),
        Route("/sharing/plans/{plan}", plans.plan_page, methods=["GET", "POST"]),
        Route("/orders/{out_trade_no}/share", sharing.share_page, methods=["GET", "POST"]),
        Route("/orders/{out_trade_no}/settle", settlements.settle, methods=["POST"]),
    ],
    links=[
        Link(
            title=word("Profit sharing"),
            icon="chart-pie",
            path="/sharing",
            right=Right.SHARING_READ,
            group=Group.MONEY,
            place=57,
            key="h",
        )
    ],
)
