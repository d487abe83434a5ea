"""Problems: every "no", and every mistake of ours, as a page in the reader's language."""

from __future__ import annotations

from typing import Final

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from daozhang.console.rendering import render
from daozhang.console.timeline import marked
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.ids import new_id
from daozhang.service.refusals import Refusal
from daozhang.service.web.context import context_of

log = structlog.get_logger(__name__)

_STATUSES: Final = {
    400: (word("This form cannot be read"), word("Load the page again and repeat what you did.")),
    404: (
        word("There is nothing here"),
        word("This address leads nowhere; maybe a part of it is missing."),
    ),
    405: (
        word("There is nothing here"),
        word("This address leads nowhere; maybe a part of it is missing."),
    ),
    413: (word("This is too large"), word("What was sent is larger than a form here can be.")),
}
_OTHER: Final = (word("This did not work"), word("Load the page again and repeat what you did."))


def answer_refusal(request: Request, error: Exception) -> Response:
    """A refusal: its sentence, and its own status."""
    assert isinstance(error, Refusal)
    visit = _visit_of(request)
    # Commands and what was typed are of no language, or of another one.
    says = marked(visit.says(error), visit.language)
    return _answer(visit, error.status, _TITLES.get(error.status, _OTHER[0]), says)


def answer_status(request: Request, error: Exception) -> Response:
    """An address that leads nowhere, and the like."""
    assert isinstance(error, HTTPException)
    visit = _visit_of(request)
    title, says = _STATUSES.get(error.status_code, _OTHER)
    return _answer(visit, error.status_code, title, visit.t(says))


def answer_bug(request: Request, error: Exception) -> Response:
    """A mistake of ours: a number by which it is found in the log, and no more."""
    visit = _visit_of(request)
    number = new_id("req", visit.context.clock.now())
    log.error("page_failed", instance=number, path=request.url.path, exc_info=error)
    says = visit.t(
        "Something went wrong on our side. If money was to move, look at the order before you repeat "
        "it. The log has more under {number}.",
        number=number,
    )
    return _answer(visit, 500, _BUG, says)


_BUG: Final = word("A mistake of ours")
_TITLES: Final = {
    401: word("Sign in again"),
    403: word("This is not allowed"),
    404: word("There is nothing here"),
    409: word("This cannot be done now"),
    410: word("This is over"),
    422: word("This cannot be done like that"),
    429: word("Wait a little"),
}


def _visit_of(request: Request) -> Visit:
    """The visit as far as it had come; else that of a stranger."""
    visit = getattr(request.state, "visit", None)
    return visit if isinstance(visit, Visit) else Visit(request, context_of(request), {})


def _answer(visit: Visit, status: int, title: str, says: str) -> Response:
    t = visit.t
    if visit.is_htmx:
        # A part of a page was asked for: the page stays, and says above why not.
        text = render(visit, "notice.html", text=says, tone="bad")
        return HTMLResponse(
            text, status, headers={"HX-Retarget": "#messages", "HX-Reswap": "innerHTML"}
        )
    template = "problem.html" if visit.person is not None else "problem_door.html"
    return HTMLResponse(render(visit, template, title=t(title), says=says), status)
