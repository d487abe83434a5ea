"""Passing parts of an order on: by a plan or by hand, and finishing, on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from starlette.responses import RedirectResponse, Response

from daozhang.console.forms import NUMBER, amount_sent, new_number, number_sent, text_sent
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.sharing.views import CLEARING, RETURNS, shown
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.approvals.model import Approval
from daozhang.service.jobs import Jobs
from daozhang.service.orders.refusals import OrderNotFound
from daozhang.service.people.model import Right
from daozhang.service.refusals import Refusal
from daozhang.service.sharing.by_people import Shareable, read_shareable, share_as
from daozhang.service.sharing.model import Mode, NewRound, ReturnOrder
from daozhang.service.sharing.rules import SHARES_MAX_SYNC
from daozhang.service.web.problem import AmountInvalid

DESCRIPTION_CHARACTERS_MAX: Final = 256
NOBODY: Final = word("Write an amount for at least one receiver, or say that sharing ends here.")


@dataclass(frozen=True, slots=True)
class Line:
    """A receiver in the form."""

    field: str
    account: str
    says: str
    amount: str
    error: str | None


@dataclass(frozen=True, slots=True)
class ShareView:
    """The form by which an order is shared."""

    number: str
    out_trade_no: str
    subject: str
    amount: Money
    left: Money
    lines: Sequence[Line]
    plans: Sequence[tuple[str, Sequence[tuple[str, Money]], Money]]
    chosen: str
    returns: Sequence[tuple[str, str]]
    fields: Mapping[str, str]
    refused: str | None
    clearing: str


@page(Right.SHARING_REQUEST, "orders/orders")
def share_page(visit: Visit) -> Response:
    """The form; sent, the shares are asked for, or wait for a second person."""
    found = read_shareable(visit.context, visit.who, visit.merchant.id, _order(visit))
    if visit.request.method != "POST":
        return _form(visit, found, new_number(visit, "shr"), {}, None, 200)
    number, errors = number_sent(visit), dict[str, str]()
    new = _sent(visit, found, number, errors)
    if errors:
        return _form(visit, found, number, errors, None, 422)
    if not (new.shares or new.plan or new.finishes):
        return _form(visit, found, number, {}, visit.t(NOBODY), 422)
    jobs = cast("Jobs", visit.request.app.state.jobs)
    try:
        made = share_as(visit.context, jobs, visit.who, visit.merchant.id, _order(visit), new)
    except OrderNotFound:
        raise
    except Refusal as refusal:
        return _form(visit, found, number, {}, visit.says(refusal), refusal.status)
    if isinstance(made, Approval):
        return RedirectResponse(f"{visit.home}/approvals/{made.id}", 303)
    return RedirectResponse(f"{visit.home}/orders/{_order(visit)}", 303)


def _sent(visit: Visit, found: Shareable, number: str, errors: dict[str, str]) -> NewRound:
    """What the form asks for; what is no amount is said in ``errors``."""
    plan = visit.form.get("plan", "")
    finishes = visit.form.get("finish") == "yes"
    if plan and plan in found.splits:
        return NewRound(number, (), plan=plan)
    shares: list[tuple[str, Money]] = []
    for receiver in found.receivers:
        name = f"amount_{receiver.id}"
        if not visit.form.get(name, "").strip():
            continue
        try:
            shares.append((receiver.account, amount_sent(visit, "CNY", name)))
        except AmountInvalid as refusal:
            errors[name] = visit.says(refusal)
    returns = visit.form.get("returns", "")
    return NewRound(
        out_request_no=number,
        shares=tuple(shares),
        mode=Mode.SYNC if len(shares) <= SHARES_MAX_SYNC else Mode.ASYNC,
        finishes=finishes,
        returns=ReturnOrder(returns) if returns in tuple(ReturnOrder) else ReturnOrder.SELLER_FIRST,
        description=text_sent(visit, "description", DESCRIPTION_CHARACTERS_MAX) or None,
    )


def _form(
    visit: Visit,
    found: Shareable,
    number: str,
    errors: Mapping[str, str],
    refused: str | None,
    status: int,
) -> Response:
    order, form = found.order, visit.form
    lines = [
        Line(
            field=f"amount_{one.id}",
            account=shown(visit, one.account, one.type),
            says=one.memo or one.name or "",
            amount=form.get(f"amount_{one.id}", ""),
            error=errors.get(f"amount_{one.id}"),
        )
        for one in found.receivers
    ]
    view = ShareView(
        number=number,
        out_trade_no=order.out_trade_no,
        subject=order.subject,
        amount=order.amount,
        left=found.left,
        lines=lines,
        plans=[(name, split.shares, split.seller) for name, split in found.splits.items()],
        chosen=form.get("plan", ""),
        returns=[(value, visit.t(text)) for value, text in RETURNS.items()],
        fields={name: form.get(name, "") for name in ("description", "returns", "finish")},
        refused=refused,
        clearing=visit.t(CLEARING),
    )
    return respond(visit, "sharing/share.html", status, view=view, number_field=NUMBER)


def _order(visit: Visit) -> str:
    return str(visit.request.path_params["out_trade_no"])
