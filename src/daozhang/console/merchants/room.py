"""Where the pages of merchants and keys hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.merchants import adding, changing, routes
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.people.model import Right

_POST: Final = ["POST"]
_DRAFT: Final = "/apps/drafts/{draft}"
_CHANGE: Final = "/apps/{app:int}/changes/{change}"

ROOM: Final = Room(
    name="merchants",
    of_merchant=False,
    routes=[
        Route("/merchants", routes.list_page),
        Route("/merchants/{slug}", routes.merchant_page),
        Route("/merchants/{slug}/policies", routes.set_policies, methods=_POST),
        Route("/merchants/{slug}/second_person", routes.set_amounts, methods=_POST),
        Route("/merchants/{slug}/outgoing", routes.turn, methods=_POST),
        Route("/merchants/{slug}/notify", routes.check_notify, methods=_POST),
        Route("/apps/new", adding.begin, methods=_POST),
        Route(_DRAFT, adding.draft_page),
        Route(f"{_DRAFT}/app", adding.name_step, methods=_POST),
        Route(f"{_DRAFT}/make", adding.make_step, methods=_POST),
        Route(f"{_DRAFT}/key", adding.key_step, methods=_POST),
        Route(f"{_DRAFT}/alipay", adding.alipay_step, methods=_POST),
        Route(f"{_DRAFT}/certificates", adding.certificates_step, methods=_POST),
        Route(f"{_DRAFT}/prove", adding.prove_step, methods=_POST),
        Route(f"{_DRAFT}/finish", adding.finish_step, methods=_POST),
        Route(f"{_DRAFT}/drop", adding.drop, methods=_POST),
        Route("/apps/{app:int}", changing.app_page),
        Route("/apps/{app:int}/own_key", changing.give_own, methods=_POST),
        Route("/apps/{app:int}/alipay_key", changing.give_alipay, methods=_POST),
        Route(f"{_CHANGE}/ask", changing.ask_now, methods=_POST),
        Route(f"{_CHANGE}/approve", changing.approve, methods=_POST),
        Route(f"{_CHANGE}/drop", changing.drop, methods=_POST),
    ],
    links=[
        Link(
            title=word("Merchants and keys"),
            icon="building-store",
            path="/merchants",
            right=Right.MERCHANTS_READ,
            group=Group.HOUSE,
            place=20,
            key="m",
        )
    ],
)
