"""The pages of holds, and what a person does with one: take, let go, give up."""

from __future__ import annotations

from typing import Final

from starlette.responses import RedirectResponse, Response

from daozhang.console.forms import amount_sent, number_sent, text_sent
from daozhang.console.holds.views import hold_view, list_view, status_of
from daozhang.console.pages import page
from daozhang.console.paging import ROWS, before_id
from daozhang.console.rendering import respond
from daozhang.console.timeline import coming, told
from daozhang.console.visits import Visit
from daozhang.service.holds import store
from daozhang.service.holds.actions import read_hold
from daozhang.service.holds.deciding import cancel_as, capture_as, release_as
from daozhang.service.holds.settling import balance, captures_of
from daozhang.service.people import masking
from daozhang.service.people.actions import note_personal_view
from daozhang.service.people.model import Right
from daozhang.service.story.actions import tell_hold

ROOM = "holds"
HERE = f"{ROOM}/holds"

SUBJECT_CHARACTERS_MAX: Final = 256
REMARK_CHARACTERS_MAX: Final = 100


@page(Right.HOLDS_READ, HERE)
def list_page(visit: Visit) -> Response:
    """The holds of a merchant, newest first."""
    status = status_of(visit.query)
    with visit.context.database.read() as tx:
        found = store.list_holds(
            tx,
            visit.merchant.id,
            before_id=before_id(visit.query),
            rows_max=ROWS + 1,
            status=status,
        )
    return respond(visit, "holds/list.html", view=list_view(visit, status, found))


@page(Right.HOLDS_READ, HERE)
def hold_page(visit: Visit) -> Response:
    """One hold: where its money is, what happened, and what can be done."""
    keep_days = visit.context.settings.retention_notifications_days
    with visit.context.database.read() as tx:
        hold = read_hold(tx, visit.merchant.id, _number(visit))
        parts, releases = balance(tx, hold), store.list_releases(tx, hold.id)
        captures = captures_of(tx, hold)
        story = tell_hold(tx, hold, keep_days)
    payer = hold.payer
    is_known = any((payer.user_id, payer.open_id, payer.logon_id))
    if is_known and masking.sees_personal(visit.who) and not visit.is_htmx:
        subject = f"hold:{hold.out_order_no}"
        note_personal_view(visit.context, visit.who, subject, merchant_id=hold.merchant_id)
    return respond(
        visit,
        "holds/hold.html",
        view=hold_view(visit, hold, parts, captures, releases),
        story=told(visit.language, story.entries),
        next=coming(visit.language, story.upcoming),
    )


@page(Right.HOLDS_READ, HERE)
def capture(visit: Visit) -> Response:
    """Takes money out of the hold."""
    capture_as(
        visit.context,
        visit.who,
        visit.merchant,
        _number(visit),
        out_trade_no=number_sent(visit),
        amount=amount_sent(visit, "CNY"),
        subject=text_sent(visit, "subject", SUBJECT_CHARACTERS_MAX) or visit.t("Capture"),
        completes=visit.form.get("completes") == "yes",
    )
    return _back(visit)


@page(Right.HOLDS_READ, HERE)
def release(visit: Visit) -> Response:
    """Lets some of it go."""
    release_as(
        visit.context,
        visit.who,
        visit.merchant.id,
        _number(visit),
        out_request_no=number_sent(visit),
        amount=amount_sent(visit, "CNY"),
        remark=text_sent(visit, "remark", REMARK_CHARACTERS_MAX) or None,
    )
    return _back(visit)


@page(Right.HOLDS_READ, HERE)
def cancel(visit: Visit) -> Response:
    """Gives it up."""
    cancel_as(visit.context, visit.who, visit.merchant.id, _number(visit))
    return _back(visit)


def _number(visit: Visit) -> str:
    return str(visit.request.path_params["hold"])


def _back(visit: Visit) -> Response:
    return RedirectResponse(f"{visit.home}/holds/{_number(visit)}", 303)
