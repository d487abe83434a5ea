"""The pages of refunds: parse what is asked, read, render."""

from __future__ import annotations

from starlette.responses import Response

from daozhang.console.pages import page
from daozhang.console.paging import ROWS, before_id
from daozhang.console.refunds.views import list_view, refund_view, selection_of
from daozhang.console.rendering import respond
from daozhang.console.timeline import coming, told
from daozhang.console.visits import Visit
from daozhang.service.orders.store import find_order_by_id
from daozhang.service.people.model import Right
from daozhang.service.people.naming import name_of
from daozhang.service.refunds.actions import read_refund
from daozhang.service.refunds.store import list_refunds_of_merchant
from daozhang.service.story.actions import tell_refund

ROOM = "refunds"


@page(Right.REFUNDS_READ, f"{ROOM}/refunds")
def list_page(visit: Visit) -> Response:
    """The refunds of a merchant, newest first."""
    selection = selection_of(visit.query)
    with visit.context.database.read() as tx:
        found = list_refunds_of_merchant(
            tx,
            visit.merchant.id,
            selection=selection,
            before_id=before_id(visit.query),
            rows_max=ROWS + 1,
        )
    return respond(visit, "refunds/list.html", view=list_view(visit, selection, found))


@page(Right.REFUNDS_READ, f"{ROOM}/refunds")
def refund_page(visit: Visit) -> Response:
    """One refund: where it stands, what happened, and what happens next."""
    with visit.context.database.read() as tx:
        refund = read_refund(tx, visit.merchant.id, visit.request.path_params["refund"])
        order = find_order_by_id(tx, refund.order_id)
        assert order is not None, "a refund's order is never deleted"
        story = tell_refund(tx, order, refund)
        actors = (refund.requested_by, refund.approved_by)
        names = {actor: name_of(tx, actor) for actor in actors if actor is not None}
    return respond(
        visit,
        "refunds/refund.html",
        view=refund_view(visit, order, refund, names),
        story=told(visit.language, story.entries),
        next=coming(visit.language, story.upcoming),
    )
