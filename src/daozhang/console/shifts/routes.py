"""The pages of shifts: parse what is asked, act, render."""

from __future__ import annotations

from typing import Final, cast

from starlette.responses import RedirectResponse, Response

from daozhang.console.pages import page
from daozhang.console.paging import ROWS, before_id
from daozhang.console.rendering import respond
from daozhang.console.shifts.views import list_view, shift_view
from daozhang.console.visits import Visit
from daozhang.money import Money, MoneyError
from daozhang.service.people.model import Right
from daozhang.service.refusals import Refusal
from daozhang.service.shifts.actions import (
    list_shifts,
    read_shift,
    set_shift_limit,
    take_shift,
)
from daozhang.service.shifts.model import ShiftStatus
from daozhang.service.shifts.refusals import ShiftNoteMissing
from daozhang.service.till.counting import CURRENCY, REFUNDED, WAYS, count_shift, hand_over
from daozhang.service.web.problem import AmountInvalid

ROOM: Final = "shifts/shifts"


@page(Right.TILL_USE, ROOM)
def list_page(visit: Visit) -> Response:
    """The shifts that this person may see, newest first."""
    return _show_list(visit)


@page(Right.TILL_USE, ROOM)
def limit_page(visit: Visit) -> Response:
    """From which sum on one shift's refunds take a second person."""
    typed = visit.form.get("limit", "").strip()
    try:
        limit = _noted(typed) if typed else None
    except AmountInvalid as refusal:
        return _show_list(visit, refusal, typed)
    set_shift_limit(visit.context, visit.who, visit.merchant.id, limit)
    return RedirectResponse(f"{visit.home}/shifts", 303)


def _show_list(visit: Visit, refusal: Refusal | None = None, typed: str = "") -> Response:
    status = visit.query.get("status", "")
    shifts = list_shifts(
        visit.context,
        visit.who,
        visit.merchant.id,
        before_id=before_id(visit.query),
        rows_max=ROWS + 1,
        status=ShiftStatus(status) if status in tuple(ShiftStatus) else None,
    )
    view = list_view(visit, shifts, status, refusal, typed)
    return respond(visit, "shifts/list.html", 200 if refusal is None else 422, view=view)


@page(Right.TILL_USE, ROOM)
def shift_page(visit: Visit) -> Response:
    """One shift: what its books say, what was noted, and who signed."""
    return _show_shift(visit)


@page(Right.TILL_USE, ROOM)
def hand_over_page(visit: Visit) -> Response:
    """Ends a shift with what was noted by hand."""
    names = [*(way.value for way in WAYS), REFUNDED]
    typed = {name: visit.form.get(f"noted_{name}", "").strip() for name in names}
    try:
        hand_over(
            visit.context,
            visit.who,
            visit.merchant.id,
            _id(visit),
            noted={name: _noted(text) for name, text in typed.items() if text},
            note=visit.form.get("note", ""),
        )
    except (AmountInvalid, ShiftNoteMissing) as refusal:
        return _show_shift(visit, refusal)
    return RedirectResponse(f"{visit.home}/shifts/{_id(visit)}", 303)


@page(Right.TILL_USE, ROOM)
def take_page(visit: Visit) -> Response:
    """Signs that one takes what was handed over."""
    note = visit.form.get("note", "")
    take_shift(visit.context, visit.who, visit.merchant.id, _id(visit), note)
    return RedirectResponse(f"{visit.home}/shifts/{_id(visit)}", 303)


def _show_shift(visit: Visit, refusal: Refusal | None = None) -> Response:
    shift = read_shift(visit.context, visit.who, visit.merchant.id, _id(visit))
    with visit.context.database.read() as tx:
        count = count_shift(tx, shift.id)
    view = shift_view(visit, shift, count, refusal)
    return respond(visit, "shifts/shift.html", 200 if refusal is None else 422, view=view)


def _noted(text: str) -> Money:
    """What somebody counted: nothing at all is a count too."""
    try:
        amount = Money.parse(text, CURRENCY)
    except MoneyError as error:
        raise AmountInvalid(str(error), "金额不正确.") from None
    if amount.minor < 0:
        raise AmountInvalid("A sum is not negative.", "金额不能为负.")
    return amount


def _id(visit: Visit) -> str:
    return cast("str", visit.request.path_params["shift"])
