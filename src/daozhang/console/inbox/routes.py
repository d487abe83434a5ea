"""The pages of notifications: parse what is asked, read, render."""

from __future__ import annotations

from typing import cast

from starlette.responses import RedirectResponse, Response

from daozhang.console.inbox.views import TABS, list_view, notification_view, refused_view
from daozhang.console.pages import page
from daozhang.console.paging import ROWS, before_id
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.service.inbox.again import apply_again
from daozhang.service.inbox.messages import Messages
from daozhang.service.inbox.showing import masked_body, show_notification
from daozhang.service.inbox.store import count_refused, page_inbox, page_refused
from daozhang.service.people.actions import note_personal_view
from daozhang.service.people.masking import sees_personal
from daozhang.service.people.model import Right

ROOM = "inbox"
PLACE = f"{ROOM}/notifications"


@page(Right.NOTIFICATIONS_READ, PLACE)
def list_page(visit: Visit) -> Response:
    """What Alipay told the merchant, newest first."""
    tab = next((one for one in TABS if one.name == visit.query.get("status", "")), TABS[0])
    number = visit.query.get("number", "").strip()[:64]
    with visit.context.database.read() as tx:
        rows = page_inbox(
            tx,
            visit.merchant.id,
            before_id=before_id(visit.query),
            rows_max=ROWS + 1,
            statuses=tab.statuses,
            messages=tab.messages,
            number=number or None,
        )
    return respond(visit, "inbox/list.html", view=list_view(visit, tab, number, rows))


@page(Right.NOTIFICATIONS_READ, PLACE)
def notification_page(visit: Visit) -> Response:
    """One notification, raw and decoded side by side."""
    notification_id = int(visit.request.path_params["notification_id"])
    unmasked = visit.query.get("personal") == "1" and sees_personal(visit.who)
    if unmasked:
        subject, merchant_id = f"notification:{notification_id}", visit.merchant.id
        note_personal_view(visit.context, visit.who, subject, merchant_id=merchant_id)
    shown = show_notification(
        _messages(visit), visit.merchant.id, notification_id, unmasked=unmasked
    )
    return respond(visit, "inbox/notification.html", view=notification_view(visit, shown))


@page(Right.NOTIFICATIONS_READ, PLACE)
def apply_page(visit: Visit) -> Response:
    """Applies one again."""
    notification_id = int(visit.request.path_params["notification_id"])
    apply_again(_messages(visit), visit.who, visit.merchant.id, notification_id)
    return RedirectResponse(f"{visit.home}/notifications/{notification_id}?applied=1", 303)


@page(Right.NOTIFICATIONS_READ, PLACE)
def refused_page(visit: Visit) -> Response:
    """What was not believed: how many, and the sample, with the reason and what to do."""
    with visit.context.database.read() as tx:
        counted = count_refused(tx, visit.merchant.id)
        rows = page_refused(
            tx, visit.merchant.id, before_id=before_id(visit.query), rows_max=ROWS + 1
        )
    sealer, bound_to = visit.context.sealer, f"refused:{visit.merchant.id}"
    # Nobody knows what a stranger sent: it is shown masked to everybody.
    opened = [(row, masked_body(sealer.open(body, bound_to))) for row, body in rows]
    return respond(visit, "inbox/refused.html", view=refused_view(visit, counted, opened))


def _messages(visit: Visit) -> Messages:
    return cast("Messages", visit.request.app.state.messages)
