"""What is done with an order: each form calls one action, and tells how it ended."""

from __future__ import annotations

import re
from typing import Final, cast

from starlette.responses import RedirectResponse, Response

from daozhang.console.orders.page import SELLER, OrderForm, show_order
from daozhang.console.pages import page
from daozhang.console.visits import Visit
from daozhang.money import Money, MoneyError
from daozhang.service.approvals.actions import decline, withdraw
from daozhang.service.approvals.refusals import ApprovalPending
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.inquiries.by_hand import close_as, inquire_as
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.refusals import OutgoingStopped
from daozhang.service.orders.model import OrderStatus
from daozhang.service.orders.refusals import AmountExceedsRemainder, OrderNotRefundable
from daozhang.service.people.actions import note_personal_view
from daozhang.service.people.model import Right
from daozhang.service.refunds.approving import approve_refund, refund_as
from daozhang.service.refunds.model import Refund
from daozhang.service.refunds.refusals import RefundConflict
from daozhang.service.sharing.refusals import ReturnsNeeded
from daozhang.service.webhooks.actions import resend_order_as

ROOM: Final = "orders/orders"
NUMBER: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
REASON_CHARACTERS_MAX: Final = 256


@page(Right.REFUNDS_REQUEST, ROOM)
def refund(visit: Visit) -> Response:
    """Asks for a refund, or for a second person; a wrong amount is told at its field."""
    fields, t = visit.form, visit.t
    number = fields.get("out_request_no", "")
    reason = fields.get("reason", "").strip()[:REASON_CHARACTERS_MAX] or None
    try:
        amount = Money.parse(fields.get("amount", "").strip(), "CNY")
    except MoneyError:
        return _again(visit, "amount", t("Write an amount in yuan, such as 88.88."))
    if amount.minor <= 0:
        return _again(visit, "amount", t("The amount has to be more than nothing."))
    if NUMBER.fullmatch(number) is None:
        return _again(visit, "", t("This form is incomplete. Load the page again."))
    try:
        made = refund_as(
            visit.context,
            _jobs(visit),
            visit.who,
            visit.merchant.id,
            visit.request.path_params["out_trade_no"],
            out_request_no=number,
            amount=amount,
            reason=reason,
            seller_covers=fields.get("returns") == SELLER,
        )
    except AmountExceedsRemainder as refusal:
        return _again(visit, "amount", visit.says(refusal))
    except (
        OrderNotRefundable,
        RefundConflict,
        ReturnsNeeded,
        OutgoingStopped,
        ApprovalPending,
    ) as refusal:
        return _again(visit, "", visit.says(refusal))
    return _done(visit, "refund" if isinstance(made, Refund) else "waits")


def _again(visit: Visit, place: str, says: str) -> Response:
    form = OrderForm(visit.form, {place: says}, "refund")
    return show_order(visit, form, 422)


@page(Right.REFUNDS_READ, ROOM)
def decide(visit: Visit) -> Response:
    """The second person approves or declines; whoever asked takes it back."""
    context, who = visit.context, visit.who
    approval = visit.form.get("approval", "")
    note = visit.form.get("note", "").strip() or None
    match visit.form.get("answer"):
        case "approve":
            approve_refund(context, _jobs(visit), who, approval, note)
            return _done(visit, "approved")
        case "withdraw":
            withdraw(context, who, approval)
            return _done(visit, "withdrawn")
        case _:
            decline(context, who, approval, note)
            return _done(visit, "declined")


@page(Right.ORDERS_CLOSE, ROOM)
def close(visit: Visit) -> Response:
    """Gives an unpaid order up."""
    number = visit.request.path_params["out_trade_no"]
    order = close_as(_inquirer(visit), visit.who, visit.merchant.id, number)
    return _done(visit, "closed" if order.status is OrderStatus.CLOSED else "closing")


@page(Right.ORDERS_QUERY, ROOM)
def query(visit: Visit) -> Response:
    """Asks Alipay now."""
    number = visit.request.path_params["out_trade_no"]
    inquire_as(_inquirer(visit), visit.who, visit.merchant.id, number)
    return _done(visit, "asked")


@page(Right.EVENTS_RESEND, ROOM)
def resend(visit: Visit) -> Response:
    """Sends the order's events again."""
    number = visit.request.path_params["out_trade_no"]
    count = resend_order_as(visit.context, visit.who, visit.merchant.id, number)
    return _done(visit, "resent" if count else "nothing")


@page(Right.PERSONAL_READ, ROOM)
def show_buyer(visit: Visit) -> Response:
    """The page with the buyer as Alipay named them; that somebody looked is in the trail."""
    number = visit.request.path_params["out_trade_no"]
    note_personal_view(visit.context, visit.who, f"order:{number}", merchant_id=visit.merchant.id)
    return show_order(visit, OrderForm(unmasked=True))


def _done(visit: Visit, what: str) -> Response:
    number = visit.request.path_params["out_trade_no"]
    return RedirectResponse(f"{visit.home}/orders/{number}?done={what}", 303)


def _jobs(visit: Visit) -> Jobs:
    return cast("Jobs", visit.request.app.state.jobs)


def _inquirer(visit: Visit) -> Inquirer:
    return cast("Inquirer", visit.request.app.state.inquirer)
