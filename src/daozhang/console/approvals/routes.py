"""The pages of approvals: what waits, one of them, and the limits."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from daozhang.console.approvals.views import approval_view, limits_view, list_view, status_of
from daozhang.console.forms import limit_sent, text_sent
from daozhang.console.pages import page
from daozhang.console.paging import ROWS
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.service.approvals import actions
from daozhang.service.approvals.model import Approval, ApprovalKind
from daozhang.service.approvals.refusals import ApprovalNotFound
from daozhang.service.approvals.rules import NOTE_CHARACTERS_MAX
from daozhang.service.jobs import Jobs
from daozhang.service.ledger.by_hand import approve_entry
from daozhang.service.merchants.second_person import set_second_person_as
from daozhang.service.people.model import Right
from daozhang.service.people.refusals import ConfirmationNeeded
from daozhang.service.people.sessions import require_confirmed
from daozhang.service.refunds.approving import approve_refund
from daozhang.service.sharing.approving import approve_shares
from daozhang.service.transfers.approving import KINDS as TRANSFER_KINDS
from daozhang.service.transfers.approving import approve_transfers

ROOM = "approvals"
HERE = f"{ROOM}/approvals"


@page(Right.REFUNDS_REQUEST, HERE)
def list_page(visit: Visit) -> Response:
    """What waits for a second person: all that this one may decide, or what they asked for."""
    status, before = status_of(visit.query), visit.query.get("before", "")[:32] or None
    person, merchant = visit.who, visit.merchant.id
    if actions.may_decide_some(person):
        found = actions.list_approvals(
            visit.context,
            person,
            status=status,
            rows_max=ROWS + 1,
            before=before,
            merchant_id=merchant,
        )
    else:
        found = actions.list_own_approvals(
            visit.context, person, merchant, status=status, rows_max=ROWS + 1, before=before
        )
    return respond(visit, "approvals/list.html", view=list_view(visit, status, found))


@page(Right.REFUNDS_REQUEST, HERE)
def approval_page(visit: Visit) -> Response:
    """One thing that waits: what will be done, word for word, and who wants it."""
    return respond(visit, "approvals/approval.html", view=approval_view(visit, _read(visit)))


@page(Right.REFUNDS_REQUEST, HERE)
def approve(visit: Visit) -> Response:
    """Approves a refund and leads to it, shares and leads to their order, an entry in the books, transfers."""
    waiting = _read(visit)
    if waiting.kind in TRANSFER_KINDS:
        approve_transfers(visit.context, visit.who, waiting.id, _note(visit))
        return RedirectResponse(f"{visit.home}/approvals/{waiting.id}", 303)
    if waiting.kind is ApprovalKind.LEDGER:
        approve_entry(visit.context, visit.who, waiting.id, _note(visit))
        return RedirectResponse(f"{visit.home}/approvals/{waiting.id}", 303)
    jobs = cast("Jobs", visit.request.app.state.jobs)
    if waiting.kind is ApprovalKind.SHARE:
        approve_shares(visit.context, jobs, visit.who, waiting.id, _note(visit))
        return RedirectResponse(f"{visit.home}/orders/{waiting.content['out_trade_no']}", 303)
    _, refund = approve_refund(visit.context, jobs, visit.who, waiting.id, _note(visit))
    return RedirectResponse(f"{visit.home}/refunds/{refund.id}", 303)


@page(Right.REFUNDS_REQUEST, HERE)
def decline(visit: Visit) -> Response:
    """Says no."""
    declined = actions.decline(visit.context, visit.who, _read(visit).id, _note(visit))
    return RedirectResponse(f"{visit.home}/approvals/{declined.id}", 303)


@page(Right.REFUNDS_REQUEST, HERE)
def withdraw(visit: Visit) -> Response:
    """Takes back what one asked for."""
    taken = actions.withdraw(visit.context, visit.who, _read(visit).id)
    return RedirectResponse(f"{visit.home}/approvals/{taken.id}", 303)


@page(Right.MERCHANTS_WRITE, HERE)
def limits_page(visit: Visit) -> Response:
    """From which amounts on it takes two; for whoever has just proven who they are."""
    try:
        require_confirmed(visit.own_session, visit.context.clock.now())
    except ConfirmationNeeded:
        query = urlencode({"next": f"{visit.home}/approvals/limits"})
        return RedirectResponse(f"{visit.base}/security/confirm?{query}", 303)
    errors: dict[str, str] = {}
    if visit.request.method == "POST":
        limits = {name: limit_sent(visit, name, errors) for name in ("per_order", "per_day")}
        if not errors:
            set_second_person_as(visit.context, visit.who, visit.merchant.id, **limits)
            return RedirectResponse(f"{visit.home}/approvals", 303)
    view = limits_view(visit, errors)
    return respond(visit, "approvals/limits.html", 422 if errors else 200, view=view)


def _read(visit: Visit) -> Approval:
    """The one that the address names, if it is this merchant's and this person may see it."""
    asked = str(visit.request.path_params["approval"])
    found = actions.read_approval(visit.context, visit.who, asked)
    if found.merchant_id != visit.merchant.id:
        raise ApprovalNotFound(asked)
    return found


def _note(visit: Visit) -> str | None:
    return text_sent(visit, "note", NOTE_CHARACTERS_MAX) or None
