"""The pages of transfers that show: the list, one of them, its receipt."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from daozhang.console.pages import page
from daozhang.console.paging import ROWS, before_id
from daozhang.console.rendering import respond
from daozhang.console.timeline import coming, told
from daozhang.console.transfers.views import list_view, status_of, transfer_view
from daozhang.console.visits import Visit
from daozhang.service.people import masking
from daozhang.service.people.model import Right
from daozhang.service.people.naming import name_of
from daozhang.service.story.actions import tell_transfer
from daozhang.service.transfers import batch_store
from daozhang.service.transfers.approving import payee_for
from daozhang.service.transfers.by_people import (
    limits_for,
    list_transfers_for,
    open_receipt_as,
    query_transfer_as,
    request_receipt_as,
    sent_again_as,
)
from daozhang.service.transfers.refusals import TransferNotFound
from daozhang.service.transfers.requesting import read_transfer

HERE = "transfers/transfers"


@page(Right.TRANSFERS_READ, HERE)
def list_page(visit: Visit) -> Response:
    """The transfers of a merchant, newest first; a number that is known leads to its transfer."""
    context, merchant = visit.context, visit.merchant.id
    sought = visit.query.get("number", "").strip()[:64]
    if sought and not visit.is_htmx:
        try:
            with context.database.read() as tx:
                read_transfer(tx, merchant, sought)
        except TransferNotFound:
            view = list_view(visit, None, None, [], sought)
            return respond(visit, "transfers/list.html", view=view, set_up=True)
        return RedirectResponse(f"{visit.home}/transfers/{sought}", 303)
    status, batch = status_of(visit.query), visit.query.get("sheet", "")[:64] or None
    found = list_transfers_for(
        context,
        visit.who,
        merchant,
        status=status,
        batch=batch,
        before_id=before_id(visit.query),
        rows_max=ROWS + 1,
    )
    view = list_view(visit, status, batch, found, "")
    set_up = limits_for(context, visit.who, merchant) is not None
    return respond(visit, "transfers/list.html", view=view, set_up=set_up)


@page(Right.TRANSFERS_READ, HERE)
def transfer_page(visit: Visit) -> Response:
    """One transfer: who gets it, what happened, its receipt, and what can be done."""
    keep_days = visit.context.settings.retention_notifications_days
    number, merchant = _number(visit), visit.merchant.id
    with visit.context.database.read() as tx:
        transfer = read_transfer(tx, merchant, number)
        story = tell_transfer(tx, transfer, keep_days)
        receipt = batch_store.find_receipt(tx, transfer.id)
        batch = None
        if transfer.batch_id is not None:
            batch = batch_store.find_batch_by_id(tx, transfer.batch_id)
        actors = (transfer.requested_by, transfer.approved_by)
        names = {actor: name_of(tx, actor) for actor in actors if actor}
    sent_again = None
    if transfer.may_go_again:
        sent_again = sent_again_as(visit.context, visit.who, merchant, number)
    payee = transfer.payee_shown
    # Each look at an unmasked payee is in the trail: a page that only refreshes itself is no look.
    if masking.sees_personal(visit.who) and not visit.is_htmx:
        payee = payee_for(visit.context, visit.who, merchant, number)
    return respond(
        visit,
        "transfers/transfer.html",
        view=transfer_view(visit, transfer, payee, receipt, batch, names, sent_again),
        story=told(visit.language, story.entries),
        next=coming(visit.language, story.upcoming),
    )


@page(Right.TRANSFERS_READ, HERE)
def query(visit: Visit) -> Response:
    """Has Alipay asked about it now."""
    query_transfer_as(visit.context, visit.who, visit.merchant.id, _number(visit))
    return _back(visit)


@page(Right.TRANSFERS_READ, HERE)
def ask_receipt(visit: Visit) -> Response:
    """Has Alipay make the receipt."""
    request_receipt_as(visit.context, visit.who, visit.merchant.id, _number(visit))
    return _back(visit)


@page(Right.TRANSFERS_READ, HERE)
def take_receipt(visit: Visit) -> Response:
    """The receipt, as Alipay made it."""
    number = _number(visit)
    content = open_receipt_as(visit.context, visit.who, visit.merchant.id, number)
    headers = {"Content-Disposition": f'attachment; filename="receipt-{number}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


def _number(visit: Visit) -> str:
    return str(visit.request.path_params["number"])[:64]


def _back(visit: Visit) -> Response:
    return RedirectResponse(f"{visit.home}/transfers/{_number(visit)}", 303)
