"""The console as an application: all rooms, behind the same headers."""

from __future__ import annotations

from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Route

from daozhang.console import assets, live, start
from daozhang.console.headers import SecurityHeaders
from daozhang.console.problems import answer_bug, answer_refusal, answer_status
from daozhang.console.rooms import MERCHANT, find_rooms
from daozhang.service.refusals import Refusal

COMPRESSED_BYTES_MIN: Final = 1000


def create_console(state: State) -> Starlette:
    """The console of the service whose parts are in ``state``; it hangs below any path."""
    rooms = find_rooms()
    of_merchant = [
        # Not a Mount: what stands before every address of the console is to be the same on each page.
        Route(MERCHANT + route.path, route.endpoint, methods=list(route.methods or ()))
        for room in rooms
        if room.of_merchant
        for route in room.routes
    ]
    others = [route for room in rooms if not room.of_merchant for route in room.routes]
    routes: list[BaseRoute] = [
        *assets.ROUTES,
        *live.ROUTES,
        *start.ROUTES,
        *others,
        *[route for room in rooms for route in room.routes_of_all],
        *of_merchant,
    ]
    console = Starlette(
        routes=routes,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(GZipMiddleware, minimum_size=COMPRESSED_BYTES_MIN),
        ],
        exception_handlers={
            Refusal: answer_refusal,
            HTTPException: answer_status,
            Exception: answer_bug,
        },
    )
    console.state = state
    return console
