"""Payouts as the API shows them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self

from pydantic import BaseModel, Field

from daozhang.money import Money
from daozhang.service.ledger.model import Account
from daozhang.service.ledger.views import UNTIL, BookOut
from daozhang.service.payouts.model import Forecast, FrozenLine, PayoutDay, UnsettledLine

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
        "late (that bill is read, and it is not in there); unknown."
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
