"""Payouts as the API shows them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self

from pydantic import BaseModel, Field

from daozhang.money import Money
from daozhang.service.ledger.model import Account
from daozhang.service.ledger.views import UNTIL, BookOut
from daozhang.service.payouts.model import (
    Comparison,
    Explanation,
    Forecast,
    FrozenLine,
    PayoutDay,
    UnsettledLine,
)

ESTIMATE = "What Alipay will probably take. An estimate, contained in no sum: the bill says what was taken."


class UnsettledOut(BaseModel):
    """A part of what Alipay has not paid out; all of them add up to `unsettled`."""

    origin: str = Field(
        description="payments (of one day), earlier (of payments before those days), by_hand."
    )
    paid_on: date | None = Field(description="Beijing's day of the payments.")
    amount: str
    order_count: int | None
    estimated_fee: str = Field(description=ESTIMATE)
    pays_out_on: date | None = Field(
        description="The day on which it is expected in the account; null if nobody can say."
    )
    state: str = Field(
        description="expected; awaiting_bill (its day is over, and the account bill of it is not read); "
        "late (that bill is read, and it is not in there); awaiting_confirmation (direct pay: it comes once its "
        "settlement is confirmed); unknown."
    )

    @classmethod
    def of(cls, one: UnsettledLine) -> Self:
        """``one``, rendered."""
        return cls(
            origin=one.origin.value,
            paid_on=one.paid_on,
            amount=str(one.amount),
            order_count=one.order_count,
            estimated_fee=str(one.estimated_fee),
            pays_out_on=one.pays_out_on,
            state=one.state.value,
        )


class FrozenOut(BaseModel):
    """A part of what cannot be spent; all of them add up to `frozen`."""

    origin: str
    held_for: str = Field(description="sharing (a payment that is to be shared), by_hand.")
    paid_on: date | None
    amount: str
    order_count: int | None
    released_by: date | None = Field(
        description="When Alipay lets go of it by itself, if nobody does before."
    )

    @classmethod
    def of(cls, one: FrozenLine) -> Self:
        """``one``, rendered."""
        return cls(
            origin=one.origin.value,
            held_for=one.held_for.value,
            paid_on=one.paid_on,
            amount=str(one.amount),
            order_count=one.order_count,
            released_by=one.released_by,
        )


class PayoutDayOut(BaseModel):
    """What is expected on a day."""

    day: date | None = Field(description="Null for what is of no day that can be told.")
    amount: str
    estimated_fee: str = Field(description=ESTIMATE)

    @classmethod
    def of(cls, one: PayoutDay) -> Self:
        """``one``, rendered."""
        return cls(day=one.day, amount=str(one.amount), estimated_fee=str(one.estimated_fee))


class CalendarOut(BaseModel):
    """Which holidays are known, and from where."""

    known_through: date | None
    unknown_years: list[int] = Field(
        description="Years whose holidays would have to be known to tell every day of payout."
    )
    sources: dict[int, str] = Field(description="By year.")


class PayoutsOut(BaseModel):
    """What is in the account, what will be paid out and when, and what is frozen."""

    object: str = "payouts"
    environment: str
    book: BookOut
    at: datetime
    payout: str = Field(description="at_once, later: what holds for payments from now on.")
    payout_days: int = Field(description="The N of T+N, in working days.")
    available: str
    unsettled: str
    frozen: str
    withdrawal_in_transit: str
    estimated_fee: str = Field(description=ESTIMATE)
    days: list[PayoutDayOut]
    unsettled_lines: list[UnsettledOut]
    frozen_lines: list[FrozenOut]
    calendar: CalendarOut
    backfilling_until: datetime | None = Field(description=UNTIL)

    @classmethod
    def of(cls, found: Forecast) -> Self:
        """What was ``found``, rendered."""
        book = found.book

        def held(account: Account) -> str:
            return str(Money(found.balances[account], book.currency))

        fees = (one.estimated_fee for one in found.unsettled)
        return cls(
            environment=book.environment,
            book=BookOut.of(book),
            at=found.at,
            payout=book.payout.value,
            payout_days=book.payout_days,
            available=held(Account.AVAILABLE),
            unsettled=held(Account.UNSETTLED),
            frozen=held(Account.FROZEN),
            withdrawal_in_transit=held(Account.WITHDRAWAL_IN_TRANSIT),
            estimated_fee=str(Money.total(fees, book.currency)),
            days=[PayoutDayOut.of(one) for one in found.days],
            unsettled_lines=[UnsettledOut.of(one) for one in found.unsettled],
            frozen_lines=[FrozenOut.of(one) for one in found.frozen],
            calendar=CalendarOut(
                known_through=found.working_days.known_through,
                unknown_years=list(found.unknown_years),
                sources={one.year: one.source for one in found.working_days.years.values()},
            ),
            backfilling_until=found.backfilling_until,
        )


class BalanceOut(BaseModel):
    """What is in the account, as one side has it."""

    total: str = Field(description="What can be spent and what is frozen.")
    available: str | None
    frozen: str | None
    unsettled: str | None


class ReasonOut(BaseModel):
    """A part of the difference."""

    what: str = Field(
        description="trades, shares, transfers, fee, fee_return, withdrawal, top_up, other."
    )
    count: int = Field(description="Movements of Alipay's since then.")
    ours: str
    theirs: str
    amount: str = Field(description="By how much it puts Alipay above the ledger.")
    told_by: str = Field(
        description="bill (only the account bill posts it, the morning after), facts, other."
    )


class UnderWayOut(BaseModel):
    """What Alipay may have moved already."""

    what: str = Field(description="refunds, shares, transfers.")
    count: int
    amount: str


class ComparisonOut(BaseModel):
    """Alipay's balance beside the ledger's. Nothing is posted from it."""

    object: str = "balance_comparison"
    environment: str
    book: BookOut
    at: datetime
    alipay: BalanceOut
    ledger: BalanceOut
    difference: str = Field(description="By how much Alipay's total is above the ledger's.")
    since: date | None = Field(description="The first day whose account bill is not read.")
    carried: str | None = Field(
        description="What of the difference was there when that day began: an earlier day's affair."
    )
    reasons: list[ReasonOut] = Field(
        description="What has come since then; with `carried` they make the difference."
    )
    unexplained: str | None = Field(
        description="Why there are no reasons: no_bill, too_long, too_many, moving."
    )
    under_way: list[UnderWayOut]

    @classmethod
    def of(cls, found: Comparison) -> Self:
        """What was ``found``, rendered."""

        def money(minor: int) -> str:
            return str(Money(minor, found.book.currency))

        def told(minor: int | None) -> str | None:
            return None if minor is None else money(minor)

        why = found.explanation
        is_explained = isinstance(why, Explanation)
        alipay, held = found.alipay, found.ledger
        return cls(
            environment=found.book.environment,
            book=BookOut.of(found.book),
            at=found.at,
            alipay=BalanceOut(
                total=money(alipay.total),
                available=told(alipay.available),
                frozen=told(alipay.frozen),
                unsettled=told(alipay.unsettled),
            ),
            ledger=BalanceOut(
                total=money(held[Account.AVAILABLE] + held[Account.FROZEN]),
                available=money(held[Account.AVAILABLE]),
                frozen=money(held[Account.FROZEN]),
                unsettled=money(held[Account.UNSETTLED]),
            ),
            difference=money(found.difference),
            since=why.since if is_explained else None,
            carried=money(why.carried) if is_explained else None,
            reasons=[
                ReasonOut(
                    what=one.what,
                    count=one.count,
                    ours=money(one.ours),
                    theirs=money(one.theirs),
                    amount=money(one.minor),
                    told_by=one.told_by,
                )
                for one in (why.reasons if is_explained else ())
            ],
            unexplained=None if is_explained else why.value,
            under_way=[
                UnderWayOut(what=one.what, count=one.count, amount=money(one.minor))
                for one in found.under_way
            ],
        )
