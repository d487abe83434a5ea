"""Where the pages of the overview hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.overview import routes
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.people.model import Right

ROOM: Final = Room(
    name="overview",
    routes=[
        Route("/overview", routes.overview_page),
        Route("/overview/at_risk", routes.risk_page),
    ],
    routes_of_all=[Route("/overview", routes.overview_of_all_page)],
    links=[
        Link(
            title=word("Overview"),
            icon="chart-bar",
            path="/overview",
            right=Right.OVERVIEW_READ,
            group=Group.MONEY,
            place=10,
            key="d",
        )
    ],
)
