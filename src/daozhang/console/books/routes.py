"""The pages of reconciliation: parse what is asked, call one verb, render."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from daozhang.console.books.case_views import case_view
from daozhang.console.books.views import calendar_view, day_view, months_bills
from daozhang.console.pages import page
from daozhang.console.paging import ROWS, before_id
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.service.bills import store as bills
from daozhang.service.bills.by_people import list_bills_of_month
from daozhang.service.closing import store
from daozhang.service.closing.cases import CaseDesk
from daozhang.service.closing.days import (
    close_day,
    list_day_cases,
    month_of,
    read_day,
    read_days,
)
from daozhang.service.closing.refusals import CaseNotFound
from daozhang.service.closing.rules import last_of_month
from daozhang.service.people.model import Right
from daozhang.service.people.rights import require
from daozhang.service.refusals import Refusal

PLACE = "books/books"


@page(Right.LEDGER_READ, PLACE)
def calendar_page(visit: Visit) -> Response:
    """A month: which days agree, and which wait for somebody."""
    first = month_of(visit.query.get("month"), visit.context.clock.now())
    days = read_days(visit.context, visit.who, visit.merchant, first, last_of_month(first))
    months = list_bills_of_month(visit.context, visit.who, visit.merchant.id, first)
    return respond(
        visit,
        "books/calendar.html",
        view=calendar_view(visit, first, days),
        months_bills=months_bills(visit, months),
    )


@page(Right.LEDGER_READ, PLACE)
def day_page(visit: Visit) -> Response:
    """One day: its bills, what differs, and what stands in the way of closing it."""
    return _day(visit)


@page(Right.LEDGER_LOCK, PLACE)
def close_page(visit: Visit) -> Response:
    """Closes a day; what stands in the way is said on its page."""
    day = _named_day(visit)
    try:
        note = visit.form.get("note", "").strip()[:256] or None
        close_day(visit.context, visit.who, visit.merchant, day, note)
    except Refusal as refusal:
        return _day(visit, refusal)
    return RedirectResponse(f"{visit.home}/books/{day.isoformat()}", 303)


@page(Right.LEDGER_BOOK, PLACE)
def read_page(visit: Visit) -> Response:
    """Reads the bills of a day once more, and matches them again."""
    require(visit.who, Right.LEDGER_BOOK, visit.merchant.id)
    day = _named_day(visit)
    for kind in ("trade", "signcustomer"):
        with visit.context.database.read() as tx:
            shop = visit.merchant
            found = bills.find_statement(
                tx, shop.environment, shop.seller_id, kind, day.isoformat()
            )
        if found is not None and found.file_id is not None:
            visit.request.app.state.reconciler.run(found.id)
    return RedirectResponse(f"{visit.home}/books/{day.isoformat()}", 303)


@page(Right.LEDGER_READ, PLACE)
def case_page(visit: Visit) -> Response:
    """One case: both sides, what to do first, what was said."""
    return _case(visit)


@page(Right.LEDGER_READ, PLACE)
def deed_page(visit: Visit) -> Response:
    """Takes it, says something, asks Alipay, proposes an end, agrees or does not."""
    deed = DEEDS.get(visit.request.path_params["deed"])
    if deed is None:
        raise HTTPException(404)
    try:
        deed(visit, _desk(visit), visit.request.path_params["case_id"][:32])
    except CaseNotFound:
        raise
    except Refusal as refusal:
        if refusal.status == 403 and refusal.code != "case_needs_another":
            raise
        return _case(visit, refusal)
    return RedirectResponse(_case_address(visit), 303)


def _day(visit: Visit, refusal: Refusal | None = None) -> Response:
    day, at = _named_day(visit), before_id(visit.query)
    sheet = read_day(visit.context, visit.who, visit.merchant, day)
    cases = list_day_cases(
        visit.context, visit.who, visit.merchant, day, before_id=at, rows_max=ROWS + 1
    )
    says = None if refusal is None else visit.says(refusal)
    status = 200 if refusal is None else refusal.status
    view = day_view(visit, sheet, cases)
    return respond(visit, "books/day.html", status, view=view, refused=says)


def _case(visit: Visit, refusal: Refusal | None = None) -> Response:
    with visit.context.database.read() as tx:
        case = store.find_case(tx, visit.request.path_params["case_id"][:32])
        notes = [] if case is None else store.list_notes(tx, case.mismatch.id)
    here = (visit.merchant.environment, visit.merchant.seller_id)
    if case is None or (case.mismatch.environment, case.mismatch.seller_id) != here:
        raise CaseNotFound
    says = None if refusal is None else visit.says(refusal)
    status = 200 if refusal is None else refusal.status
    view = case_view(visit, case, notes)
    return respond(visit, "books/case.html", status, view=view, refused=says)


def _take(visit: Visit, desk: CaseDesk, named: str) -> None:
    desk.take(visit.who, visit.merchant, named)


def _note(visit: Visit, desk: CaseDesk, named: str) -> None:
    desk.note(visit.who, visit.merchant, named, visit.form.get("text", ""))


def _ask(visit: Visit, desk: CaseDesk, named: str) -> None:
    desk.ask(visit.who, visit.merchant, named)


def _propose(visit: Visit, desk: CaseDesk, named: str) -> None:
    end, reason = visit.form.get("end", ""), visit.form.get("reason", "")
    desk.propose(visit.who, visit.merchant, named, end, reason)


def _agree(visit: Visit, desk: CaseDesk, named: str) -> None:
    desk.agree(visit.who, visit.merchant, named, visit.form.get("stamp"))


def _refuse(visit: Visit, desk: CaseDesk, named: str) -> None:
    desk.refuse(visit.who, visit.merchant, named, visit.form.get("reason", ""))


DEEDS: Final[Mapping[str, Callable[[Visit, CaseDesk, str], None]]] = {
    "take": _take,
    "note": _note,
    "ask": _ask,
    "propose": _propose,
    "agree": _agree,
    "refuse": _refuse,
}
"""By the last word of the address."""


def _desk(visit: Visit) -> CaseDesk:
    state = visit.request.app.state
    return CaseDesk(state.inquirer, state.reconciler)


def _case_address(visit: Visit) -> str:
    return f"{visit.home}/books/cases/{visit.request.path_params['case_id'][:32]}"


def _named_day(visit: Visit) -> date:
    try:
        return date.fromisoformat(visit.request.path_params["day"])
    except ValueError:
        raise HTTPException(404) from None
