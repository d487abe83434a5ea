"""Confirming: what is grave asks first whether it is really them, and goes on after that."""

from __future__ import annotations

from functools import wraps
from urllib.parse import urlencode, urlsplit

from starlette.responses import RedirectResponse, Response

from daozhang.console.pages import Handler
from daozhang.console.start import own_path
from daozhang.console.visits import Visit
from daozhang.service.people.refusals import ConfirmationNeeded
from daozhang.service.people.sessions import require_confirmed

CONFIRM = "/security/confirm"


def grave(handler: Handler) -> Handler:
    """Makes a handler serve only who has proven lately who they are; others do so first, and come
    back to the page from which they began."""

    @wraps(handler)
    def asked(visit: Visit) -> Response:
        try:
            require_confirmed(visit.own_session, visit.context.clock.now())
        except ConfirmationNeeded:
            query = urlencode({"next": own_path(_began_at(visit), visit.base)})
            return RedirectResponse(f"{visit.base}{CONFIRM}?{query}", 303)
        return handler(visit)

    return asked


def _began_at(visit: Visit) -> str:
    if visit.request.method == "GET":
        return visit.address
    return urlsplit(visit.request.headers.get("referer", "")).path
