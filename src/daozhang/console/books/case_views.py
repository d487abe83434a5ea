"""What the page of a case shows, and its row on the page of its day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.bills.model import StatementKind
from daozhang.service.closing import rules
from daozhang.service.closing.model import (
    Case,
    CaseEnd,
    CaseNote,
    CaseStatus,
)
from daozhang.service.closing.suggesting import is_askable, suggestion_of
from daozhang.service.people.model import Language, Right
from daozhang.service.reconciliation.model import Mismatch, MismatchClass
from daozhang.service.reconciliation.telling import name_of

CLASSES: Final[Mapping[MismatchClass, str]] = {
    MismatchClass.MISSING_HERE: word("Missing here"),
    MismatchClass.MISSING_THERE: word("Missing in the bill"),
    MismatchClass.AMOUNT_DIFFERS: word("Amount differs"),
    MismatchClass.FEE_DIFFERS: word("Fee differs"),
    MismatchClass.STATE_DIFFERS: word("State differs"),
    MismatchClass.DAY_CUT: word("Cut by midnight"),
    MismatchClass.DUPLICATE: word("Twice in the bill"),
    MismatchClass.FOREIGN: word("Another system's"),
}

ENDS: Final[Mapping[CaseEnd, str]] = {
    CaseEnd.ACCEPTED: word("Alipay's figure is right"),
    CaseEnd.FOREIGN: word("It is another system's"),
    CaseEnd.EXPLAINED: word("Both are right, and it is known why"),
    CaseEnd.BOOKED: word("Book the difference by hand"),
}

RESOLUTIONS: Final[Mapping[str, str]] = {
    "agrees": word("Both sides agree"),
    "day_cut": word("It stood in the next day's bill"),
    "set_aside": word("Set aside by a rule"),
    **{end.value: text for end, text in ENDS.items()},
}


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A line of the list of cases."""

    address: str
    case: Case
    title: str
    number: str
    ours: Money | None
    theirs: Money | None
    state: str
    tone: str


_STATES: Final[Mapping[CaseStatus, tuple[str, str]]] = {
    CaseStatus.OPEN: (word("Open"), "warn"),
    CaseStatus.PROPOSED: (word("Waits for a second person"), "busy"),
    CaseStatus.SETTLED: (word("Settled"), "calm"),
}


def case_row(visit: Visit, case: Case) -> CaseRow:
    one = case.mismatch
    text, tone = _STATES[case.status]
    return CaseRow(
        address=f"{visit.home}/books/cases/{one.public_id}",
        case=case,
        title=visit.t(CLASSES[one.mismatch]),
        number=_number(visit, one),
        ours=_money(one.ours_minor),
        theirs=_money(one.theirs_minor),
        state=visit.t(text),
        tone=tone,
    )


def _number(visit: Visit, one: Mismatch) -> str:
    if one.kind is StatementKind.ACCOUNT:
        return name_of(one)[visit.language is Language.CHINESE]
    return one.out_request_no or one.out_trade_no or one.trade_no or one.key


def _money(minor: int | None) -> Money | None:
    return None if minor is None else Money(minor)


@dataclass(frozen=True, slots=True)
class Side:
    """A figure as both sides have it."""

    name: str
    bill: str | Money | None
    books: str | Money | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case."""

    row: CaseRow
    day: str
    day_address: str
    suggestion: str
    sides: Sequence[Side]
    order: str | None
    notes: Sequence[CaseNote]
    ends: Sequence[tuple[str, str]]
    proposed_end: str | None
    resolution: str | None
    is_mine: bool
    may_work: bool
    may_ask: bool
    may_agree: bool
    is_proposer: bool
    has_changed: bool


def case_view(visit: Visit, case: Case, notes: Sequence[CaseNote]) -> CaseView:
    """A case as ``visit`` may see it; deeds are offered to whoever may do them."""
    t, one = visit.t, case.mismatch
    own = str(visit.who.actor)
    may_work = visit.may(Right.LEDGER_BOOK) and one.is_open
    in_chinese = visit.language is Language.CHINESE
    has_order = one.order_id is not None and visit.may(Right.ORDERS_READ)
    return CaseView(
        row=case_row(visit, case),
        day=visit.formats.day(one.day),
        day_address=f"{visit.home}/books/{one.day.isoformat()}",
        suggestion=suggestion_of(one)[in_chinese],
        sides=_sides(visit, case),
        order=f"{visit.home}/orders/{one.out_trade_no}" if has_order else None,
        notes=notes,
        ends=[(end.value, t(ENDS[end])) for end in rules.ends_of(one)],
        proposed_end=None if case.proposed_end is None else t(ENDS[case.proposed_end]),
        resolution=None if one.resolution is None else t(RESOLUTIONS[one.resolution]),
        is_mine=case.owner == own,
        may_work=may_work,
        may_ask=may_work and visit.may(Right.ORDERS_QUERY) and is_askable(one),
        may_agree=visit.may(Right.LEDGER_APPROVE) and one.is_open,
        is_proposer=case.proposed_by == own,
        has_changed=case.has_changed,
    )


def _sides(visit: Visit, case: Case) -> Sequence[Side]:
    t, one = visit.t, case.mismatch
    bill: Mapping[str, Any] = one.evidence.get("bill") or {}
    books: Mapping[str, Any] = one.evidence.get("books") or {}
    sides = [
        Side(t(word("Amount")), _money(one.theirs_minor), _money(one.ours_minor)),
        Side(
            t(word("Received by you")),
            _money(bill.get("receipt_minor")),
            _money(books.get("receipt_minor")),
        ),
        Side(t(word("Fee")), _money(bill.get("fee_minor")), None),
        Side(t(word("Alipay trade number")), bill.get("trade_no"), books.get("trade_no")),
        Side(
            t(word("Time")),
            bill.get("at"),
            one.evidence.get("paid_at") or one.evidence.get("refunded_at") or books.get("day"),
        ),
        Side(t(word("State")), None, books.get("status")),
        Side(
            t(word("Line of the file")), _text(bill.get("line") or one.evidence.get("line")), None
        ),
    ]
    if case.has_changed:
        ours, theirs = case.proposed_over
        sides.append(Side(t(word("Amount when it was proposed")), _money(theirs), _money(ours)))
    return [side for side in sides if side.bill is not None or side.books is not None]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
