"""The pages of a bill: a file that a person gives, the files of a day, and which of them stands."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Final, cast

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response

from daozhang.console.books.bill_views import ADVICE, bill_view
from daozhang.console.books.views import bill_address
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.bills.by_people import (
    choose_file_as,
    fetch_bill_as,
    give_file_as,
    read_bill,
    read_bill_file,
)
from daozhang.service.bills.fetching import BYTES_MAX
from daozhang.service.bills.keeping import laid_out, room
from daozhang.service.bills.model import StatementKind
from daozhang.service.bills.refusals import BillHere, BillNotOver, BillStands
from daozhang.service.jobs import Jobs
from daozhang.service.people.model import Right
from daozhang.service.refusals import Refusal

PLACE: Final = "books/books"
NONE_CHOSEN: Final = word("Choose the file first.")


@page(Right.LEDGER_BOOK, PLACE)
def upload_page(visit: Visit) -> Response:
    """The form by which a bill is given."""
    return _form(visit, None, None)


@page(Right.LEDGER_BOOK, PLACE, file_bytes_max=BYTES_MAX)
def upload(visit: Visit) -> Response:
    """Keeps the file of a bill, and leads to the bill that it is of; what is refused is said in words."""
    if visit.upload is None:
        return _form(visit, visit.t(NONE_CHOSEN), None)
    try:
        with room(visit.context) as place:
            path = place / "given"
            visit.upload.write_to(path)
            statement = give_file_as(
                visit.context, _jobs(visit), visit.who, visit.merchant.id, path, visit.upload.name
            )
    except BillStands as refusal:
        # It is kept beside the other; its bill's page is where somebody says which one stands.
        fields = refusal.fields
        return RedirectResponse(
            f"{visit.home}/books/bills/{fields['kind']}/{fields['period']}", 303
        )
    except Refusal as refusal:
        if refusal.code not in ADVICE:
            raise
        return _form(visit, visit.says(refusal), refusal)
    return RedirectResponse(bill_address(visit, statement), 303)


@page(Right.LEDGER_READ, PLACE)
def bill_page(visit: Visit) -> Response:
    """One bill: where it stands, and every file that was ever given or fetched for it."""
    return _bill(visit)


@page(Right.LEDGER_BOOK, PLACE)
def choose(visit: Visit) -> Response:
    """Lets another file stand, and has the day matched by it."""
    kind, period = _named(visit)
    chosen = visit.form.get("file", "")[:64]
    statement = choose_file_as(
        visit.context, _jobs(visit), visit.who, visit.merchant.id, kind, period, chosen
    )
    return RedirectResponse(bill_address(visit, statement), 303)


@page(Right.LEDGER_BOOK, PLACE)
def fetch(visit: Visit) -> Response:
    """Asks Alipay for the bill now."""
    kind, period = _named(visit)
    try:
        statement = fetch_bill_as(
            visit.context, _jobs(visit), visit.who, visit.merchant.id, kind, period
        )
    except (BillHere, BillNotOver) as refusal:
        return _bill(visit, refusal)
    return RedirectResponse(bill_address(visit, statement), 303)


@page(Right.LEDGER_READ, PLACE)
def take_file(visit: Visit) -> Response:
    """A file as it came."""
    named = str(visit.request.path_params["file"])[:64]
    file = read_bill_file(visit.context, visit.who, visit.merchant.id, named)
    with ExitStack() as stack:
        path = stack.enter_context(laid_out(visit.context, file))
        return FileResponse(
            path,
            filename=file.name,
            media_type="application/octet-stream",
            background=BackgroundTask(stack.pop_all().close),
        )


def _form(visit: Visit, says: str | None, refusal: Refusal | None) -> Response:
    advice = None if refusal is None else visit.t(ADVICE[refusal.code])
    return respond(
        visit,
        "books/upload.html",
        200 if says is None else 422,
        refused=says,
        advice=advice,
        seller_id=visit.merchant.seller_id,
    )


def _bill(visit: Visit, refusal: Refusal | None = None) -> Response:
    kind, period = _named(visit)
    statement, files = read_bill(visit.context, visit.who, visit.merchant.id, kind, period)
    says = None if refusal is None else visit.says(refusal)
    status = 200 if refusal is None else refusal.status
    view = bill_view(visit, statement, files)
    return respond(visit, "books/bill.html", status, view=view, refused=says)


def _named(visit: Visit) -> tuple[StatementKind, str]:
    kind = visit.request.path_params["kind"]
    if kind not in tuple(StatementKind):
        raise HTTPException(404)
    return StatementKind(kind), visit.request.path_params["period"][:16]


def _jobs(visit: Visit) -> Jobs:
    return cast("Jobs", visit.request.app.state.jobs)
