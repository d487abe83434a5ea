"""Direct pay on an order's page: having its settlement confirmed, and what became of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from starlette.responses import RedirectResponse, Response

from daozhang.console.forms import number_sent
from daozhang.console.pages import page
from daozhang.console.visits import Visit
from daozhang.service.jobs import Jobs
from daozhang.service.orders.model import Order
from daozhang.service.people.model import Language, Right
from daozhang.service.refusals import Refusal
from daozhang.service.settlements.by_people import confirm_as
from daozhang.service.settlements.messages import sentences_for
from daozhang.service.settlements.model import NewSettlement, Settlement, SettlementStatus
from daozhang.service.settlements.requesting import require_settleable


@dataclass(frozen=True, slots=True)
class SettlementRow:
    """A settlement that was asked for."""

    settlement: Settlement
    state: str
    says: str | None


def settlement_rows(visit: Visit, settlements: Sequence[Settlement]) -> list[SettlementRow]:
    """The settlements of an order, newest first."""
    return [SettlementRow(one, _state_of(one), _says(visit, one)) for one in reversed(settlements)]


def _state_of(settlement: Settlement) -> str:
    held = settlement.held_at is not None
    return "settlement.held" if held else f"settlement.{settlement.status.value}"


def _says(visit: Visit, settlement: Settlement) -> str | None:
    """What Alipay said, unless it is confirmed by now."""
    said = sentences_for(settlement.last_code, settlement.last_message)
    if said is None or settlement.status is SettlementStatus.CONFIRMED:
        return None
    return said[visit.language is Language.CHINESE]


def may_settle(visit: Visit, order: Order, settlements: list[Settlement]) -> bool:
    """Whether this person may have the settlement confirmed, as the order stands."""
    if not visit.may(Right.SHARING_REQUEST):
        return False
    try:
        require_settleable(visit.merchant, order, settlements)
    except Refusal:
        return False
    return True


@page(Right.SHARING_REQUEST, "orders/orders")
def settle(visit: Visit) -> Response:
    """Has the settlement of the order confirmed. Sent twice, it is still one request."""
    number = str(visit.request.path_params["out_trade_no"])
    new = NewSettlement(
        out_request_no=number_sent(visit),
        freezes=visit.form.get("freeze") == "yes",
        requested_by=str(visit.who.actor),
    )
    jobs = cast("Jobs", visit.request.app.state.jobs)
    confirm_as(visit.context, jobs, visit.who, visit.merchant.id, number, new)
    return RedirectResponse(f"{visit.home}/orders/{number}?done=settlement", 303)
