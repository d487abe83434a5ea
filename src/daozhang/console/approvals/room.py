"""Where the pages of approvals hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.approvals import routes
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.approvals.actions import count_waiting
from daozhang.service.people.model import Right

ROOM: Final = Room(
    name="approvals",
    routes=[
        Route("/approvals", routes.list_page),
        Route("/approvals/limits", routes.limits_page, methods=["GET", "POST"]),
        Route("/approvals/{approval}", routes.approval_page),
        Route("/approvals/{approval}/approve", routes.approve, methods=["POST"]),
        Route("/approvals/{approval}/decline", routes.decline, methods=["POST"]),
        Route("/approvals/{approval}/withdraw", routes.withdraw, methods=["POST"]),
    ],
    links=[
        Link(
            title=word("Approvals"),
            icon="user-check",
            path="/approvals",
            right=Right.REFUNDS_REQUEST,
            group=Group.MONEY,
            place=35,
            key="a",
            count=count_waiting,
            live="approval",
        )
    ],
)
