"""Where the pages of notifications hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.inbox import routes
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.people.model import Right

ROOM: Final = Room(
    name="inbox",
    routes=[
        Route("/notifications", routes.list_page),
        Route("/notifications/refused", routes.refused_page),
        Route("/notifications/{notification_id:int}", routes.notification_page),
        Route("/notifications/{notification_id:int}/apply", routes.apply_page, methods=["POST"]),
    ],
    links=[
        Link(
            title=word("Notifications"),
            icon="bell",
            path="/notifications",
            right=Right.NOTIFICATIONS_READ,
            group=Group.CONNECTIONS,
            place=10,
            key="n",
        )
    ],
)
