"""Lists of orders as files: asked for, watched, taken."""

from __future__ import annotations

from typing import Final, cast

from starlette.responses import RedirectResponse, Response, StreamingResponse

from daozhang.console.orders.filters import Filters
from daozhang.console.orders.views import WAYS
from daozhang.console.pages import page
from daozhang.console.paging import with_query
from daozhang.console.rendering import respond
from daozhang.console.states import STATES
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.exports.actions import ask_export, list_exports, open_export
from daozhang.service.exports.model import ExportFormat
from daozhang.service.jobs import Jobs
from daozhang.service.people.model import Right

ROOM: Final = "orders/exports"

HEADINGS: Final = {
    "out_trade_no": word("Order number"),
    "trade_no": word("Alipay trade number"),
    "status": word("State"),
    "way": word("Way of paying"),
    "subject": word("Subject"),
    "currency": word("Currency"),
    "amount": word("Amount"),
    "refunded": word("Refunded"),
    "receipt": word("Received by you"),
    "buyer": word("Buyer"),
    "created_at": word("Created (Beijing time)"),
    "paid_at": word("Paid at (Beijing time)"),
    "operator_id": word("Operator"),
    "terminal_id": word("Terminal"),
    "store_id": word("Store"),
    "cart_ref": word("Cart"),
    "late": word("Paid late"),
    "attention": word("A person has to look"),
}

TYPES: Final = {
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ExportFormat.CSV: "text/csv; charset=utf-8",
}


@page(Right.ORDERS_EXPORT, ROOM)
def exports_page(visit: Visit) -> Response:
    """The files of the merchant: those being written, and those that can be taken."""
    listed = list_exports(visit.context, visit.who, visit.merchant.id)
    return respond(visit, "orders/exports.html", exports=listed, now=visit.context.clock.now())


@page(Right.ORDERS_EXPORT, ROOM)
def ask(visit: Visit) -> Response:
    """Asks for the orders that fit the filters of the form."""
    form = ExportFormat.CSV if visit.form.get("format") == "csv" else ExportFormat.XLSX
    filters = Filters.of(visit.form)
    if filters.by_other_days:  # not offered, and never written by other days than was asked
        return RedirectResponse(with_query(f"{visit.home}/orders", filters.query()), 303)
    jobs = cast("Jobs", visit.request.app.state.jobs)
    ask_export(
        visit.context, jobs, visit.who, visit.merchant.id, filters.sought, form, _words(visit)
    )
    return RedirectResponse(f"{visit.home}/exports", 303)


@page(Right.ORDERS_EXPORT, ROOM)
def take(visit: Visit) -> Response:
    """The file."""
    public_id = visit.request.path_params["export"]
    export, pieces = open_export(visit.context, visit.who, visit.merchant.id, public_id)
    day = export.created_at.astimezone(visit.formats.zone).date()
    name = f"orders-{visit.merchant.slug}-{day.isoformat()}.{export.format}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, media_type=TYPES[export.format], headers=headers)


def _words(visit: Visit) -> dict[str, str]:
    """How headings and states are called in the reader's language."""
    t = visit.t
    return {
        **{f"column.{name}": t(text) for name, text in HEADINGS.items()},
        **{name: t(look.text) for name, look in STATES.items() if name.startswith("order.")},
        **{f"way.{way}": t(text) for way, text in WAYS.items()},
        "yes": t("yes"),
    }
