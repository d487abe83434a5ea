"""What the pages of agreements show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from daozhang.clock import business_day
from daozhang.console.forms import new_number
from daozhang.console.paging import Pages, cut, with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.agreements import rules
from daozhang.service.agreements.model import (
    Agreement,
    AgreementStatus,
    Deduction,
    PeriodType,
    Rule,
)
from daozhang.service.charges.messages import sentences_for
from daozhang.service.orders.model import Order
from daozhang.service.people import masking
from daozhang.service.people.model import Language, Right

_SIGNED: Final = (AgreementStatus.TEMP, AgreementStatus.ACTIVE, AgreementStatus.STOPPED)

_TABS: Final[Sequence[tuple[str, str]]] = (
    ("", word("All")),
    (AgreementStatus.ACTIVE, word("In effect")),
    (AgreementStatus.CREATED, word("Not signed yet")),
    (AgreementStatus.STOPPED, word("Paused by the buyer")),
    (AgreementStatus.ENDING, word("Being ended")),
    (AgreementStatus.ENDED, word("No longer in effect")),
    (AgreementStatus.EXPIRED, word("Not signed in time")),
)


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """A line of the list."""

    id: int
    address: str
    agreement: Agreement
    each: Money | None
    period: str


@dataclass(frozen=True, slots=True)
class ListView:
    """The list of agreements."""

    here: str
    narrows: bool
    tabs: Sequence[tuple[str, str, bool]]
    rows: Sequence[AgreementRow]
    pages: Pages


@dataclass(frozen=True, slots=True)
class Try:
    """One try to charge."""

    deduction: Deduction
    order: Order


@dataclass(frozen=True, slots=True)
class TryRow:
    """A try, with why it failed if it did."""

    deduction: Deduction
    order: Order
    why_not: str | None


@dataclass(frozen=True, slots=True)
class AgreementView:
    """One agreement, with what this visitor may do with it."""

    agreement: Agreement
    path: str
    each: Money | None
    period: str
    window: tuple[date, date] | None
    buyer: Sequence[str]
    tries: Sequence[TryRow]
    paid: Money
    number: str
    subject: str
    first_day: date
    may_charge: bool
    may_move: bool
    may_end: bool


def status_of(query: Mapping[str, str]) -> str | None:
    """Which agreements an address asks for; all of them if it cannot be understood."""
    asked = query.get("state", "")
    return asked if asked in tuple(AgreementStatus) else None


def list_view(visit: Visit, status: str | None, found: Sequence[Agreement]) -> ListView:
    """The list of ``found``, of which one more than a page holds may have been read."""
    t, path, chosen = visit.t, f"{visit.home}/agreements", status or ""
    rows = [
        AgreementRow(
            id=one.id,
            address=f"{path}/{one.external_agreement_no}",
            agreement=one,
            each=each_of(one),
            period=period_of(visit, one.rule),
        )
        for one in found
    ]
    shown, pages = cut(rows, path, {"state": chosen, "before": visit.query.get("before", "")})
    return ListView(
        here=visit.address,
        narrows=status is not None,
        tabs=[
            (with_query(path, {"state": value}), t(text), value == chosen) for value, text in _TABS
        ],
        rows=shown,
        pages=pages,
    )


def agreement_view(visit: Visit, agreement: Agreement, tries: Sequence[Try]) -> AgreementView:
    """One agreement as ``visit`` may see it, its tries latest first."""
    who, today = visit.who, business_day(visit.context.clock.now())
    window = rules.window_of(agreement)
    acts = agreement.status is rules.CHARGEABLE
    is_free = rules.period_is_free(agreement, [one.deduction for one in tries])
    is_open = window is None or window[0] <= today <= window[1]
    paid = [one.order.amount for one in tries if one.deduction.status == "paid"]
    return AgreementView(
        agreement=agreement,
        path=f"{visit.home}/agreements/{agreement.external_agreement_no}",
        each=each_of(agreement),
        period=period_of(visit, agreement.rule),
        window=window,
        buyer=masking.buyer(
            who, agreement.buyer_logon_id, agreement.buyer_id or agreement.buyer_open_id
        ),
        tries=[_row(visit, one) for one in tries],
        paid=Money.total(paid) if paid else Money.zero("CNY"),
        number=new_number(visit, "due"),
        subject="" if agreement.plan is None else agreement.plan.subject,
        first_day=max(today, agreement.next_deduct_on or today) + timedelta(days=1),
        may_charge=acts
        and not agreement.attention
        and is_free
        and is_open
        and visit.may(Right.AGREEMENTS_CHARGE),
        may_move=acts and window is not None and visit.may(Right.AGREEMENTS_CHARGE),
        may_end=agreement.status in _SIGNED
        and agreement.agreement_no is not None
        and visit.may(Right.AGREEMENTS_END),
    )


def each_of(agreement: Agreement) -> Money | None:
    """What is charged each time: by the plan, else the most that the rule allows."""
    if agreement.plan is not None:
        return agreement.plan.amount
    return None if agreement.rule is None else agreement.rule.single


def period_of(visit: Visit, rule: Rule | None) -> str:
    """How often it is charged, in words."""
    if rule is None:
        return visit.t("Whenever something is due")
    if rule.period == 1 and rule.period_type is PeriodType.MONTH:
        return visit.t("Every month")
    if rule.period_type is PeriodType.MONTH:
        return visit.t("Every {count} months", count=rule.period)
    return visit.t("Every {count} days", count=rule.period)


def _row(visit: Visit, one: Try) -> TryRow:
    said = sentences_for(one.deduction.code, one.deduction.message)
    why_not = None if said is None else said[visit.language is Language.CHINESE]
    return TryRow(one.deduction, one.order, why_not)
