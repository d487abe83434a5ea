"""Where the pages of webhooks hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.rooms import Group, Link, Room
from daozhang.console.webhooks import routes
from daozhang.console.words import word
from daozhang.service.people.model import Right

_ONE: Final = "/webhooks/{endpoint}"
_DELIVERY: Final = f"{_ONE}/deliveries/{{delivery}}"

ROOM: Final = Room(
    name="webhooks",
    routes=[
        Route("/webhooks", routes.list_page),
        Route("/webhooks/new", routes.new_page, methods=["GET", "POST"]),
        Route(_ONE, routes.endpoint_page),
        Route(f"{_ONE}/edit", routes.edit_page, methods=["GET", "POST"]),
        Route(f"{_ONE}/pause", routes.pause, methods=["POST"]),
        Route(f"{_ONE}/resume", routes.resume, methods=["POST"]),
        Route(f"{_ONE}/remove", routes.remove, methods=["POST"]),
        Route(f"{_ONE}/rotate", routes.rotate, methods=["POST"]),
        Route(f"{_ONE}/test", routes.send_test, methods=["POST"]),
        Route(f"{_ONE}/resend", routes.resend_since, methods=["POST"]),
        Route(_DELIVERY, routes.delivery_page),
        Route(f"{_DELIVERY}/resend", routes.resend, methods=["POST"]),
    ],
    links=[
        Link(
            title=word("Webhooks"),
            icon="webhook",
            path="/webhooks",
            right=Right.WEBHOOKS_READ,
            group=Group.CONNECTIONS,
            place=20,
            key="w",
        )
    ],
)
