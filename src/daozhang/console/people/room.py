"""Where the pages of people, API keys and the trail hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.people import apikeys, routes, trail
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.people.model import Right

_BOTH: Final = ["GET", "POST"]
_POST: Final = ["POST"]

ROOM: Final = Room(
    name="people",
    of_merchant=False,
    routes=[
        Route("/people", routes.list_page),
        Route("/people/invite", routes.invite_page, methods=_BOTH),
        Route("/people/rights", routes.rights_page),
        Route("/people/{person:int}", routes.person_page, methods=_BOTH),
        Route("/people/{person:int}/disable", routes.disable, methods=_POST),
        Route("/people/{person:int}/enable", routes.enable, methods=_POST),
        Route("/people/{person:int}/invite", routes.invite_anew, methods=_POST),
        Route("/people/{person:int}/sign_out", routes.sign_out, methods=_POST),
        Route("/apikeys", apikeys.list_page),
        Route("/apikeys/new", apikeys.make_page, methods=_BOTH),
        Route("/apikeys/{prefix}/revoke", apikeys.revoke, methods=_POST),
        Route("/trail", trail.trail_page),
        Route("/trail/verify", trail.verify, methods=_POST),
        Route("/trail/export", trail.export, methods=_POST),
    ],
    links=[
        Link(
            title=word("People and rights"),
            icon="users",
            path="/people",
            right=Right.PEOPLE_READ,
            group=Group.HOUSE,
            place=40,
            key="u",
        ),
        Link(
            title=word("API keys"),
            icon="key",
            path="/apikeys",
            right=Right.APIKEYS_READ,
            group=Group.HOUSE,
            place=30,
            key="k",
        ),
        Link(
            title=word("Audit trail"),
            icon="list-details",
            path="/trail",
            right=Right.AUDIT_READ,
            group=Group.HOUSE,
            place=50,
            key="y",
        ),
    ],
)
