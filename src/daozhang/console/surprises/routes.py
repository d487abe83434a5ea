"""The pages of surprises: parse what is asked, call one verb, render."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from daozhang.console.pages import page
from daozhang.console.paging import ROWS, before_id
from daozhang.console.rendering import respond
from daozhang.console.surprises.views import list_view, surprise_view
from daozhang.console.visits import Visit
from daozhang.service.approvals.model import Approval
from daozhang.service.orders.refusals import OrderNotFound
from daozhang.service.orders.surprises import page_ended, page_open, sum_open
from daozhang.service.people.model import Right
from daozhang.service.refusals import Refusal
from daozhang.service.surprises.actions import By, Desk
from daozhang.service.surprises.reading import read_surprise
from daozhang.service.surprises.refusals import (
    AttachTargetPaid,
    SurpriseReasonMissing,
    SurpriseRemains,
    SurpriseUnanswered,
)

PLACE = "surprises/surprises"
TABS: Final = ("", "mine", "free", "ended")


@page(Right.SURPRISES_READ, PLACE)
def list_page(visit: Visit) -> Response:
    """What waits for a person, oldest first, with what it comes to; or what was dealt with."""
    tab = visit.query.get("show", "") if visit.query.get("show", "") in TABS else ""
    at, merchant_id = before_id(visit.query), visit.merchant.id
    owner = {"mine": str(visit.who.actor), "free": "merchant"}.get(tab)
    with visit.context.database.read() as tx:
        if tab == "ended":
            rows = page_ended(tx, merchant_id, before_id=at, rows_max=ROWS + 1)
        else:
            rows = page_open(tx, merchant_id, after_id=at, rows_max=ROWS + 1, owner=owner)
        sums = sum_open(tx, merchant_id)
    return respond(visit, "surprises/list.html", view=list_view(visit, tab, rows, sums))


@page(Right.SURPRISES_READ, PLACE)
def surprise_page(visit: Visit) -> Response:
    """One surprise: what is known, what it would mean, and how it may end."""
    return _render(visit)


@page(Right.SURPRISES_READ, PLACE)
def deed_page(visit: Visit) -> Response:
    """Takes it, hands it over, or ends it; what is refused is said on its page."""
    deed = DEEDS.get(visit.request.path_params["deed"])
    if deed is None:
        raise HTTPException(404)
    try:
        waits = deed(visit, _desk(visit), By.of_person(visit.who))
    except (
        AttachTargetPaid,
        OrderNotFound,
        SurpriseReasonMissing,
        SurpriseRemains,
        SurpriseUnanswered,
    ) as refusal:
        return _render(visit, refusal)
    here = f"{visit.home}/surprises/{_id(visit)}"
    return RedirectResponse(f"{here}?waits=1" if waits else here, 303)


def _render(visit: Visit, refusal: Refusal | None = None) -> Response:
    known = read_surprise(visit.context, visit.merchant.id, _id(visit))
    may_work = visit.may(Right.SURPRISES_WORK)
    workers = _desk(visit).workers(By.of_person(visit.who), visit.merchant.id) if may_work else []
    view = surprise_view(visit, known, workers)
    says = None if refusal is None else visit.says(refusal)
    status = 200 if refusal is None else refusal.status
    return respond(visit, "surprises/surprise.html", status, view=view, refused=says)


def _take(visit: Visit, desk: Desk, by: By) -> bool:
    desk.take(by, visit.merchant.id, _id(visit))
    return False


def _hand_over(visit: Visit, desk: Desk, by: By) -> bool:
    to = visit.form.get("to", "")
    desk.hand_over(by, visit.merchant.id, _id(visit), int(to) if to.isdecimal() else 0)
    return False


def _accept(visit: Visit, desk: Desk, by: By) -> bool:
    desk.accept(by, visit.merchant.id, _id(visit), visit.form.get("note"))
    return False


def _refund(visit: Visit, desk: Desk, by: By) -> bool:
    made = desk.refund(by, visit.merchant.id, _id(visit), visit.form.get("note"))
    return isinstance(made, Approval)


def _attach(visit: Visit, desk: Desk, by: By) -> bool:
    number = visit.form.get("out_trade_no", "").strip()[:64]
    desk.attach(by, visit.merchant.id, _id(visit), number, visit.form.get("note"))
    return False


def _dismiss(visit: Visit, desk: Desk, by: By) -> bool:
    desk.dismiss(by, visit.merchant.id, _id(visit), visit.form.get("note", ""))
    return False


DEEDS: Final[Mapping[str, Callable[[Visit, Desk, By], bool]]] = {
    "take": _take,
    "hand_over": _hand_over,
    "accept": _accept,
    "refund": _refund,
    "attach": _attach,
    "dismiss": _dismiss,
}
"""By the last word of the address; each tells whether it now waits for a second person."""


def _desk(visit: Visit) -> Desk:
    state = visit.request.app.state
    return Desk(state.jobs, state.inquirer)


def _id(visit: Visit) -> int:
    return int(visit.request.path_params["surprise_id"])
