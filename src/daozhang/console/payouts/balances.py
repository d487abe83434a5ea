"""Alipay's balance beside the ledger's, ready for its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from daozhang.console.ledger.names import ACCOUNTS
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.ledger.model import Account
from daozhang.service.payouts.model import Comparison, Explanation, Reason, Unexplained
from daozhang.service.people.model import Right

WHAT: Final[Mapping[str, str]] = {
    "trades": word("Payments, refunds and payouts"),
    "shares": word("Shares"),
    "transfers": word("Transfers"),
    "fee": word("Alipay's fees"),
    "fee_return": word("Fee given back"),
    "withdrawal": word("Withdrawals"),
    "top_up": word("Top-up"),
    "other": word("Anything else"),
}

TOLD_BY: Final[Mapping[str, str]] = {
    "bill": word("Tomorrow's account bill brings it to the ledger"),
    "facts": word("Something is under way, or has not been learned here yet"),
    "other": word("Nothing here knows of it: look at the account bill of its day"),
}

WHY_NOT: Final[Mapping[Unexplained, str]] = {
    Unexplained.NO_BILL: word(
        "No account bill has been read yet, so nobody knows what was in the account before the ledger."
    ),
    Unexplained.TOO_LONG: word(
        "The last account bill that was read is longer ago than Alipay's log of the account reaches: "
        "give the bills of the days since."
    ),
    Unexplained.TOO_MANY: word(
        "The account has moved too often since the last bill to be read for a question: tomorrow's bill "
        "tells it."
    ),
    Unexplained.MOVING: word("The account moved each time it was looked at: ask again."),
}

UNDER_WAY: Final[Mapping[str, str]] = {
    "refunds": word("Refunds"),
    "shares": word("Shares"),
    "transfers": word("Transfers"),
}


@dataclass(frozen=True, slots=True)
class Side:
    """A line with both sides; Alipay does not tell each of them."""

    name: str
    alipay: Money | None
    ledger: Money

    @property
    def difference(self) -> Money | None:
        """By how much Alipay is above the ledger."""
        return None if self.alipay is None else self.alipay - self.ledger


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """A part of the difference."""

    name: str
    count: int
    ours: Money
    theirs: Money
    amount: Money
    told_by: str


@dataclass(frozen=True, slots=True)
class UnderWayRow:
    """What Alipay may have moved already, and where it is shown, if the visitor may look."""

    name: str
    count: int
    amount: Money
    address: str | None


@dataclass(frozen=True, slots=True)
class BalancesView:
    """Both balances at a moment, and why they differ."""

    at: datetime
    difference: Money
    sides: Sequence[Side]
    since: date | None
    carried: Money | None
    day_before: str | None
    reasons: Sequence[ReasonRow]
    why_not: str | None
    under_way: Sequence[UnderWayRow]


def balances_view(visit: Visit, found: Comparison) -> BalancesView:
    """What Alipay answered, beside what the ledger says."""
    currency, told, held = found.book.currency, found.alipay, found.ledger
    why = found.explanation if isinstance(found.explanation, Explanation) else None

    def side(account: Account, minor: int | None) -> Side:
        alipay = None if minor is None else Money(minor, currency)
        return Side(visit.t(ACCOUNTS[account]), alipay, Money(held[account], currency))

    return BalancesView(
        at=found.at,
        difference=Money(found.difference, currency),
        sides=[
            Side(
                visit.t("In the account"),
                Money(told.total, currency),
                Money(held[Account.AVAILABLE] + held[Account.FROZEN], currency),
            ),
            side(Account.AVAILABLE, told.available),
            side(Account.FROZEN, told.frozen),
            side(Account.UNSETTLED, told.unsettled),
        ],
        since=None if why is None else why.since,
        carried=None if why is None else Money(why.carried, currency),
        day_before=None if why is None else f"{visit.home}/books/{why.since - timedelta(days=1)}",
        reasons=[] if why is None else [_reason(visit, one, currency) for one in why.reasons],
        why_not=visit.t(WHY_NOT[found.explanation])
        if isinstance(found.explanation, Unexplained)
        else None,
        under_way=[
            UnderWayRow(
                visit.t(UNDER_WAY[one.what]),
                one.count,
                Money(one.minor, currency),
                _address(visit, one.what),
            )
            for one in found.under_way
        ],
    )


def _reason(visit: Visit, one: Reason, currency: str) -> ReasonRow:
    return ReasonRow(
        name=visit.t(WHAT[one.what]),
        count=one.count,
        ours=Money(one.ours, currency),
        theirs=Money(one.theirs, currency),
        amount=Money(one.minor, currency),
        told_by=visit.t(TOLD_BY[one.told_by]),
    )


def _address(visit: Visit, what: str) -> str | None:
    """Where those are listed whose end is not known."""
    if what == "refunds" and visit.may(Right.REFUNDS_READ):
        return f"{visit.home}/refunds?state=unknown"
    if what == "transfers" and visit.may(Right.TRANSFERS_READ):
        return f"{visit.home}/transfers?state=unknown"
    return None
