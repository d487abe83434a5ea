"""The page of one order: everything known of it, and the forms of what can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.responses import Response

from daozhang.console.orders.story import tell
from daozhang.console.orders.views import order_view
from daozhang.console.rendering import respond
from daozhang.console.sharing.settlements import may_settle, settlement_rows
from daozhang.console.sharing.views import round_rows
from daozhang.console.timeline import coming
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.approvals.model import Approval
from daozhang.service.approvals.rules import asked_for_it
from daozhang.service.db import Tx
from daozhang.service.ids import new_id
from daozhang.service.orders.actions import read_order
from daozhang.service.orders.model import Order, OrderStatus, Way
from daozhang.service.people.actions import people_with
from daozhang.service.people.model import Right
from daozhang.service.refunds.approving import list_waiting
from daozhang.service.refunds.store import list_refunds
from daozhang.service.settlements.model import Settlement
from daozhang.service.settlements.store import list_settlements
from daozhang.service.sharing.approving import list_waiting as list_shares_waiting
from daozhang.service.sharing.model import Round, RoundStatus
from daozhang.service.sharing.requesting import SHAREABLE
from daozhang.service.sharing.returning import gives_back_by_itself
from daozhang.service.sharing.store import list_rounds, list_shares
from daozhang.service.story.actions import tell_order

DONE: Final[Mapping[str, str]] = {
    "refund": word("The refund is asked for. Its end is told below."),
    "waits": word("The refund waits for a second person. Nothing has moved yet."),
    "approved": word("Approved: the refund is asked for."),
    "declined": word("Declined: the refund will not be made."),
    "withdrawn": word("Withdrawn: the refund will not be made."),
    "closing": word("The order is given up. It is closed once Alipay has proven it."),
    "closed": word("The order is closed."),
    "asked": word("Alipay was asked. What it answered is told below."),
    "settlement": word("The settlement is to be confirmed. Its end is told below."),
    "resent": word("The events are on their way again."),
    "nothing": word("There was nothing to send again."),
}
"""What was done just now, as the address says."""

SELLER: Final = "seller"
RETURNS: Final = (
    ("plan", word("They give back what the plan says")),
    (SELLER, word("They keep it, and you pay that part")),
)
"""Who pays what others have of a payment that goes back."""


@dataclass(frozen=True, slots=True)
class OrderForm:
    """What somebody has filled in, and what was wrong with it. ``opens`` is the dialog to show."""

    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    errors: Mapping[str, str] = field(default_factory=dict[str, str])
    opens: str = ""
    unmasked: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A refund that waits for a second person, and for whom."""

    approval: Approval
    names: Sequence[str]
    may_decide: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class Doable:
    """What this person may do with the order as it stands."""

    refund: bool
    share: bool
    finish: bool
    settle: bool
    close: bool
    query: bool
    resend: bool
    unmask: bool


def show_order(visit: Visit, form: OrderForm, status: int = 200) -> Response:
    """The page of the order that the address names. Raises `OrderNotFound`."""
    keep_days = visit.context.settings.retention_notifications_days
    with visit.context.database.read() as tx:
        order = read_order(tx, visit.merchant.id, visit.request.path_params["out_trade_no"])
        refunds = list_refunds(tx, order.id)
        story = tell_order(tx, order, keep_days)
        pending = _waiting(tx, visit, order)
        rounds, shares = list_rounds(tx, order.id), list_shares(tx, order.id)
        shares_pending = list_shares_waiting(tx, order)
        returns = _returns(visit, order, by_itself=gives_back_by_itself(tx, order))
        settlements = list_settlements(tx, order.id)
    done = DONE.get(visit.query.get("done", ""))
    if done is not None and visit.request.method == "GET":
        visit.messages.append(visit.t(done))
    may = _doable(visit, order, rounds, settlements)
    if not may.refund and form.errors.get(""):
        visit.messages.append(form.errors[""])  # the dialog that would say so is gone
    view = order_view(visit, order, refunds, unmasked=form.unmasked)
    return respond(
        visit,
        "orders/order.html",
        status,
        view=view,
        story=tell(visit, order, story),
        coming=coming(visit.language, story.upcoming),
        pending=pending,
        rounds=round_rows(visit, rounds, shares),
        is_sharing=any(one.is_open for one in rounds),
        shares_pending=shares_pending,
        returns=returns,
        share_number=new_id("shr", visit.context.clock.now()),
        settlements=settlement_rows(visit, settlements),
        settlement_number=new_id("stl", visit.context.clock.now()),
        may=may,
        form=form,
        refund_number=form.fields.get("out_request_no") or _new_number(visit),
    )


def _returns(visit: Visit, order: Order, *, by_itself: bool) -> list[tuple[str, str]]:
    """Who may give back what is shared of an order, for a person to choose; at a till Alipay decides."""
    if not order.shared or by_itself:
        return []
    return [(value, visit.t(text)) for value, text in RETURNS]


def _new_number(visit: Visit) -> str:
    """Of the refund that a form asks for: sent twice, it is still one refund."""
    return new_id("rfd", visit.context.clock.now())


def _waiting(tx: Tx, visit: Visit, order: Order) -> list[Waiting]:
    found = list_waiting(tx, order)
    if not found:
        return []
    deciders = people_with(tx, Right.REFUNDS_APPROVE, order.merchant_id)
    return [
        Waiting(
            approval=one,
            names=[person.name for person in deciders if not asked_for_it(one, str(person.actor))],
            may_decide=visit.may(Right.REFUNDS_APPROVE)
            and not asked_for_it(one, str(visit.who.actor)),
            is_own=one.requested_by == str(visit.who.actor),
        )
        for one in found
    ]


def _doable(
    visit: Visit, order: Order, rounds: Sequence[Round], settlements: list[Settlement]
) -> Doable:
    alive = [one for one in rounds if one.status is not RoundStatus.FAILED]
    shareable = (
        order.status in SHAREABLE
        and order.trade_no is not None
        and not any(one.finishes for one in alive)
        and visit.may(Right.SHARING_REQUEST)
    )
    left = order.status is OrderStatus.PAID and bool(order.most_refundable)
    at_till = order.way is Way.BARCODE and order.signed_at is not None
    unpaid = order.status in (OrderStatus.CREATED, OrderStatus.WAITING)
    return Doable(
        share=shareable and bool(order.remainder),
        finish=shareable and bool(alive),
        settle=may_settle(visit, order, settlements),
        refund=left and visit.may(Right.REFUNDS_REQUEST),
        close=unpaid and not at_till and visit.may(Right.ORDERS_CLOSE),
        query=visit.may(Right.ORDERS_QUERY),
        resend=visit.may(Right.EVENTS_RESEND),
        unmask=visit.may(Right.PERSONAL_READ),
    )
