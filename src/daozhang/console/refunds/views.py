"""What the pages of refunds show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from daozhang.console.orders.views import ORIGINS
from daozhang.console.paging import Pages, cut, with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.orders.model import Order
from daozhang.service.people.model import Language
from daozhang.service.refunds.messages import sentences_for
from daozhang.service.refunds.model import (
    BY_POLICY,
    Destination,
    Refund,
    RefundSelection,
    RefundStatus,
)

_TABS: Final[Sequence[tuple[str, str]]] = (
    ("", word("All")),
    (RefundSelection.REQUESTED, word("Requested")),
    (RefundSelection.UNKNOWN, word("Outcome unknown")),
    (RefundSelection.BALANCE, word("Waits for balance")),
    (RefundSelection.HELD, word("Held by the switch")),
    (RefundSelection.SUCCEEDED, word("Refunded")),
    (RefundSelection.FAILED, word("Failed")),
    (RefundSelection.EXTERNAL, word("Made outside")),
    (RefundSelection.BOUNCED, word("Sent back by the bank")),
)

_DESTINATIONS: Final[Mapping[Destination, str]] = {
    Destination.BANK_CARD_PENDING: word("On its way to the buyer's bank card"),
    Destination.BANK_CARD: word("The buyer's bank card"),
    Destination.BUYER_BALANCE: word("The buyer's Alipay balance: the bank sent it back"),
}


@dataclass(frozen=True, slots=True)
class RefundRow:
    """A line of the list."""

    id: int
    address: str
    refund: Refund
    out_trade_no: str
    state: str
    waits_for: str


@dataclass(frozen=True, slots=True)
class ListView:
    """The list of refunds."""

    path: str
    here: str
    narrows: bool
    tabs: Sequence[tuple[str, str, bool]]
    rows: Sequence[RefundRow]
    pages: Pages


@dataclass(frozen=True, slots=True)
class RefundView:
    """One refund."""

    refund: Refund
    order: Order
    state: str
    origin: str
    waits_for: str
    destination: str | None
    requested_by: str | None
    approved_by: str | None
    answer: str | None
    asked_next_at: datetime | None


def selection_of(query: Mapping[str, str]) -> RefundSelection | None:
    """Which refunds an address asks for; all of them if it cannot be understood."""
    asked = query.get("state", "")
    return RefundSelection(asked) if asked in tuple(RefundSelection) else None


def list_view(
    visit: Visit, selection: RefundSelection | None, found: Sequence[tuple[Refund, str]]
) -> ListView:
    """The list of ``found``, of which one more than a page holds may have been read."""
    t, path = visit.t, f"{visit.home}/refunds"
    rows = [
        RefundRow(
            id=refund.id,
            address=f"{path}/{refund.id}",
            refund=refund,
            out_trade_no=number,
            state=state_of(refund),
            waits_for=t(waits_for(refund)),
        )
        for refund, number in found
    ]
    chosen = "" if selection is None else selection.value
    shown, pages = cut(rows, path, {"state": chosen, "before": visit.query.get("before", "")})
    return ListView(
        path=path,
        here=visit.address,
        narrows=selection is not None,
        tabs=[
            (with_query(path, {"state": value}), t(text), value == chosen) for value, text in _TABS
        ],
        rows=shown,
        pages=pages,
    )


def refund_view(visit: Visit, order: Order, refund: Refund, names: Mapping[str, str]) -> RefundView:
    """One refund; ``names`` are what people call those who asked for it and approved it."""
    t = visit.t
    said = sentences_for(refund.last_code, refund.last_message) if refund.is_open else None
    by = refund.requested_by
    return RefundView(
        refund=refund,
        order=order,
        state=state_of(refund),
        origin=t(ORIGINS[refund.origin]),
        waits_for=t(waits_for(refund)),
        destination=None if refund.destination is None else t(_DESTINATIONS[refund.destination]),
        requested_by=None if by is None or by == BY_POLICY else names[by],
        approved_by=None if refund.approved_by is None else names[refund.approved_by],
        answer=None if said is None else said[visit.language is Language.CHINESE],
        asked_next_at=refund.due_at if refund.is_open else refund.bank_due_at,
    )


def state_of(refund: Refund) -> str:
    """Under which name among `STATES` a refund stands: what it waits for says more than its status."""
    if refund.held_at is not None:
        return "refund.held"
    if refund.waits_for_balance:
        return "refund.balance"
    if refund.destination is Destination.BUYER_BALANCE:
        return "refund.bounced"
    return f"refund.{refund.status}"


def waits_for(refund: Refund) -> str:
    """Whom or what a refund waits for; nothing after its end."""
    if refund.held_at is not None:
        return word("The switch for outgoing money")
    if refund.waits_for_balance:
        return word("Money in the shop's Alipay account")
    if refund.status is RefundStatus.UNKNOWN:
        return word("Alipay's answer")
    if refund.status is RefundStatus.REQUESTED:
        return word("Being sent")
    if refund.destination is Destination.BANK_CARD_PENDING:
        return word("The buyer's bank")
    return ""
