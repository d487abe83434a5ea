"""The pages of a month: what stands in the way of closing it, and the two who sign."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from daozhang.console.books.routes import PLACE
from daozhang.console.books.views import BILLS, STATUSES, journals, month_address, month_title
from daozhang.console.ledger.names import ACCOUNTS
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.closing.model import Colour, MonthBill, MonthSheet
from daozhang.service.closing.months import (
    NOTE_CHARACTERS_MAX,
    agree_month,
    propose_month,
    read_month,
    refuse_month,
)
from daozhang.service.closing.rules import month_named
from daozhang.service.ledger.model import Account
from daozhang.service.people.model import Language, Right
from daozhang.service.refusals import Refusal


@dataclass(frozen=True, slots=True)
class MonthBillRow:
    """One of the month's own bills, and whether it is what those of its days add up to."""

    name: str
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account over the month, as it was closed."""

    name: str
    opening: Money
    debits: Money
    credits: Money
    closing: Money


@dataclass(frozen=True, slots=True)
class MonthView:
    """A month."""

    sheet: MonthSheet
    shop: str
    seller_id: str
    title: str
    here: str
    calendar: str
    closed_count: int
    open_count: int
    open_amount: Money
    bills: list[MonthBillRow]
    accounts: list[AccountRow]
    report: str
    journals: list[tuple[str, str]]
    obstacles: list[str]
    may_propose: bool
    may_agree: bool
    may_refuse: bool
    is_proposer: bool


@page(Right.LEDGER_READ, PLACE)
def month_page(visit: Visit) -> Response:
    """One month: its days, its bills, and who closed it."""
    return _month(visit)


@page(Right.LEDGER_READ, PLACE)
def deed_page(visit: Visit) -> Response:
    """Proposes to close it, agrees or does not; what stands in the way is said on its page."""
    deed = DEEDS.get(visit.request.path_params["deed"])
    if deed is None:
        raise HTTPException(404)
    month = _named_month(visit)
    try:
        deed(visit, month)
    except Refusal as refusal:
        if refusal.status == 403 and refusal.code != "month_needs_another":
            raise
        return _month(visit, refusal)
    return RedirectResponse(month_address(visit, month), 303)


def _month(visit: Visit, refusal: Refusal | None = None) -> Response:
    sheet = read_month(visit.context, visit.who, visit.merchant, _named_month(visit))
    says = None if refusal is None else visit.says(refusal)
    status = 200 if refusal is None else refusal.status
    return respond(visit, "books/month.html", status, view=_view(visit, sheet), refused=says)


def _view(visit: Visit, sheet: MonthSheet) -> MonthView:
    chinese = visit.language is Language.CHINESE
    proposal = None if sheet.is_closed else sheet.closing
    return MonthView(
        sheet=sheet,
        shop=visit.merchant.name,
        seller_id=visit.merchant.seller_id,
        title=month_title(visit, sheet.month),
        here=month_address(visit, sheet.month),
        calendar=f"{visit.home}/books?month={sheet.month:%Y-%m}",
        closed_count=sum(line.colour is Colour.CLOSED for line in sheet.days),
        open_count=sum(line.open_count for line in sheet.days),
        open_amount=Money(sum(line.open_minor for line in sheet.days)),
        bills=[_bill_row(visit, kind, bill) for kind, bill in sheet.bills.items()],
        accounts=_account_rows(visit, sheet),
        report=f"{visit.home}/books/{sheet.month:%Y-%m}/report.xlsx",
        journals=journals(visit, f"{sheet.month:%Y-%m}") if sheet.is_closed else [],
        obstacles=[one.say_zh if chinese else one.say for one in sheet.obstacles],
        may_propose=visit.may(Right.LEDGER_BOOK) and sheet.closing is None and not sheet.obstacles,
        may_agree=visit.may(Right.LEDGER_LOCK) and proposal is not None,
        may_refuse=visit.may(Right.LEDGER_BOOK) and proposal is not None,
        is_proposer=proposal is not None and proposal.proposed_by == str(visit.who.actor),
    )


def _bill_row(visit: Visit, kind: str, bill: MonthBill) -> MonthBillRow:
    if bill.differs:
        text, tone = word("Differs from its days"), "bad"
    elif bill.month and bill.days is not None:
        text, tone = word("Adds up to its days"), "good"
    else:
        text, tone = STATUSES[bill.status], "calm"
    return MonthBillRow(visit.t(BILLS[kind]), visit.t(text), tone)


def _account_rows(visit: Visit, sheet: MonthSheet) -> list[AccountRow]:
    """The trial balance with which it was closed, without accounts that never had anything."""
    if sheet.closing is None or not sheet.closing.is_closed:
        return []
    return [
        AccountRow(
            visit.t(ACCOUNTS[Account(name)]),
            Money(sums["opening_minor"]),
            Money(sums["debits_minor"]),
            Money(sums["credits_minor"]),
            Money(sums["closing_minor"]),
        )
        for name, sums in sheet.closing.figures["accounts"].items()
        if any(sums.values())
    ]


def _propose(visit: Visit, month: date) -> None:
    note = visit.form.get("note", "").strip()[:NOTE_CHARACTERS_MAX] or None
    propose_month(visit.context, visit.who, visit.merchant, month, note)


def _agree(visit: Visit, month: date) -> None:
    agree_month(visit.context, visit.who, visit.merchant, month)


def _refuse(visit: Visit, month: date) -> None:
    reason = visit.form.get("reason", "")
    refuse_month(visit.context, visit.who, visit.merchant, month, reason)


DEEDS: Final[Mapping[str, Callable[[Visit, date], None]]] = {
    "propose": _propose,
    "agree": _agree,
    "refuse": _refuse,
}
"""By the last word of the address."""


def _named_month(visit: Visit) -> date:
    month = month_named(visit.request.path_params["month"])
    if month is None:
        raise HTTPException(404)
    return month
