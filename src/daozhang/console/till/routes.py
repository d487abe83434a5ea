"""The pages of the till: parse what is asked, act, render."""

from __future__ import annotations

from typing import Final, cast
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.till.views import (
    Typed,
    found_view,
    opening_view,
    sale_view,
    till_view,
)
from daozhang.console.visits import Visit
from daozhang.service.db import Tx
from daozhang.service.ids import dated_number
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.clients import clients_of
from daozhang.service.orders.model import Order, Way
from daozhang.service.orders.refusals import OrderConflict, OrderNotFound
from daozhang.service.orders.subjects import SubjectInvalid
from daozhang.service.people.model import Right
from daozhang.service.refunds.approving import refund_as
from daozhang.service.refunds.model import Refund
from daozhang.service.refunds.store import list_refunds
from daozhang.service.refusals import Refusal
from daozhang.service.shifts.actions import open_shift
from daozhang.service.shifts.model import Shift
from daozhang.service.shifts.refusals import ShiftOpenAlready, ShiftPlaceInvalid
from daozhang.service.shifts.store import find_latest_shift, find_open_shift
from daozhang.service.till import actions
from daozhang.service.till.code_routes import CODE_PURPOSE
from daozhang.service.till.refusals import CodeNotMade, CodeRefused
from daozhang.service.till.rules import SALE
from daozhang.service.till.sales_store import find_sales
from daozhang.service.till.store import latest_payment
from daozhang.service.till.workflow import Till
from daozhang.service.web.problem import AmountInvalid, amount_of

ROOM: Final = "till/till"
CURRENCY: Final = "CNY"
SALES_SHOWN: Final = 8
REFUND: Final = "R"

_PASSED_ON: Final = frozenset({401, 403, 404})
"""Statuses of refusals that are pages of their own, whatever was asked for."""


# ---- the till


@page(Right.TILL_USE, ROOM)
def till_page(visit: Visit) -> Response:
    """The keypad, for whoever has a shift; else where a shift is opened."""
    return _show_till(visit, Typed())


@page(Right.TILL_USE, ROOM)
def open_shift_page(visit: Visit) -> Response:
    """Opens a shift, and leads to the keypad."""
    store_id = visit.form.get("store", "").strip()
    terminal_id = visit.form.get("terminal", "").strip()
    try:
        open_shift(
            visit.context,
            visit.who,
            visit.merchant.id,
            store_id=store_id,
            terminal_id=terminal_id,
        )
    except ShiftOpenAlready:
        pass  # a second click: the till is where both lead
    except ShiftPlaceInvalid as refusal:
        view = opening_view(visit, store_id, terminal_id, visit.says(refusal))
        return respond(visit, "till/open.html", refusal.status, view=view)
    return RedirectResponse(f"{visit.home}/till", 303)


@page(Right.TILL_USE, ROOM)
def sell_page(visit: Visit) -> Response:
    """Makes the order of a sale, and leads to its page."""
    form = visit.form
    typed = Typed(form.get("amount", "").strip(), form.get("subject", "").strip())
    way = Way.BARCODE if form.get("way") == Way.BARCODE.value else Way.QR
    try:
        order = actions.sell(
            visit.context,
            visit.who,
            visit.merchant,
            number=form.get("number", ""),
            amount=amount_of(typed.amount, CURRENCY),
            subject=typed.subject,
            way=way,
        )
    except (AmountInvalid, SubjectInvalid, OrderConflict) as refusal:
        return _show_till(visit, typed, refusal)
    return _with_code(visit, order) if way is Way.QR else _to_sale(visit, order.out_trade_no)


def _show_till(visit: Visit, typed: Typed, refusal: Refusal | None = None) -> Response:
    with visit.context.database.read() as tx:
        shift = find_open_shift(tx, visit.merchant.id, visit.who.id)
        latest = shift or find_latest_shift(tx, visit.merchant.id, visit.who.id)
        sales = [] if shift is None else _sales_of(tx, visit, shift)
    if shift is None:
        places = ("", "") if latest is None else (latest.store_id, latest.terminal_id)
        return respond(visit, "till/open.html", view=opening_view(visit, *places, None))
    number = dated_number(SALE, visit.context.clock.now())
    view = till_view(visit, shift, number, sales, typed, refusal)
    return respond(visit, "till/till.html", 200 if refusal is None else 422, view=view)


def _sales_of(tx: Tx, visit: Visit, shift: Shift) -> list[Order]:
    return find_sales(
        tx,
        visit.merchant.id,
        since=shift.opened_at,
        rows_max=SALES_SHOWN,
        shift_id=shift.id,
    )


@page(Right.TILL_USE, ROOM)
def find_page(visit: Visit) -> Response:
    """An order by a buyer's receipt, at once; today's orders of an amount as a list."""
    scanned = visit.query.get("receipt", "").strip()
    amount = visit.query.get("amount", "").strip()
    says: str | None = None
    sales: list[Order] = []
    try:
        if scanned:
            found = actions.find_sale(visit.context, visit.who, visit.merchant.id, scanned)
            return _to_sale(visit, found.out_trade_no)
        if amount:
            wanted = amount_of(amount, CURRENCY)
            sales = actions.find_sales_of(visit.context, visit.who, visit.merchant.id, wanted)
    except OrderNotFound:
        says = visit.t("There is no order with this number here. Scan the whole bar code.")
    except AmountInvalid as refusal:
        says = visit.says(refusal)
    view = found_view(visit, scanned, amount, sales, says)
    return respond(visit, "till/found.html", view=view)


# ---- one sale


@page(Right.TILL_USE, ROOM)
def sale_page(visit: Visit) -> Response:
    """One sale: what to tell the buyer, and whether the goods may go."""
    return _show_sale(visit)


@page(Right.TILL_USE, ROOM)
def show_code_again(visit: Visit) -> Response:
    """Another code of the same order: the first one was not made, or has run out."""
    number = _number(visit)
    order = actions.read_sale(visit.context, visit.who, visit.merchant.id, number)
    return _with_code(visit, order)


@page(Right.TILL_USE, ROOM)
def scan_page(visit: Visit) -> Response:
    """Charges what the scanner typed."""
    scanned = visit.form.get("auth_code", "")
    try:
        actions.scan_code(_till(visit), visit.who, visit.merchant.id, _number(visit), scanned)
    except Refusal as refusal:
        return _refused(visit, refusal)
    return _to_sale(visit, _number(visit))


@page(Right.TILL_USE, ROOM)
def cancel_page(visit: Visit) -> Response:
    """Gives a sale up."""
    inquirer = cast("Inquirer", visit.request.app.state.inquirer)
    try:
        actions.give_up_sale(_till(visit), inquirer, visit.who, visit.merchant.id, _number(visit))
    except Refusal as refusal:
        return _refused(visit, refusal)
    return _to_sale(visit, _number(visit))


@page(Right.TILL_USE, ROOM)
def refund_page(visit: Visit) -> Response:
    """Gives money back, or asks a second person to agree."""
    form = visit.form
    jobs = cast("Jobs", visit.request.app.state.jobs)
    try:
        got = refund_as(
            visit.context,
            jobs,
            visit.who,
            visit.merchant.id,
            _number(visit),
            out_request_no=form.get("out_request_no", "")[:64] or _refund_number(visit),
            amount=amount_of(form.get("amount", "").strip(), CURRENCY),
            reason=form.get("reason", "").strip()[:256] or None,
        )
    except Refusal as refusal:
        return _refused(visit, refusal)
    asked = {} if isinstance(got, Refund) else {"asked": "yes"}
    return _to_sale(visit, _number(visit), **asked)


def _with_code(visit: Visit, order: Order) -> Response:
    """Leads to the sale with a code to show; without one, and why not, if Alipay gave none."""
    number = order.out_trade_no
    try:
        made = actions.show_code(
            visit.context, clients_of(visit.request), visit.who, visit.merchant.id, number
        )
    except (CodeRefused, CodeNotMade) as refusal:
        return _refused(visit, refusal, number)
    # The code travels in the address, signed, as its picture's does: nothing of it is stored.
    token = visit.context.sealer.sign_token(CODE_PURPOSE, {"text": made.text}, made.expires_at)
    return _to_sale(visit, number, code=token)


def _show_sale(visit: Visit, refusal: Refusal | None = None, number: str | None = None) -> Response:
    number = number or _number(visit)
    order = actions.read_sale(visit.context, visit.who, visit.merchant.id, number)
    with visit.context.database.read() as tx:
        payment = latest_payment(tx, order.id)
        refunds = list_refunds(tx, order.id)
    view = sale_view(visit, order, payment, refunds, _refund_number(visit), refusal)
    return respond(visit, "till/sale.html", 200 if refusal is None else refusal.status, view=view)


def _refused(visit: Visit, refusal: Refusal, number: str | None = None) -> Response:
    if refusal.status in _PASSED_ON:
        raise refusal
    return _show_sale(visit, refusal, number)


def _to_sale(visit: Visit, number: str, **fields: str) -> Response:
    query = f"?{urlencode(fields)}" if fields else ""
    return RedirectResponse(f"{visit.home}/till/{number}{query}", 303)


def _refund_number(visit: Visit) -> str:
    return dated_number(REFUND, visit.context.clock.now())


def _number(visit: Visit) -> str:
    return cast("str", visit.request.path_params["number"])


def _till(visit: Visit) -> Till:
    return cast("Till", visit.request.app.state.till)
