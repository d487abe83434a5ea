"""Months and their days, as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from daozhang.money import Money
from daozhang.service.bills.model import StatementStatus
from daozhang.service.closing.model import (
    Colour,
    DayLine,
    MonthBill,
    MonthClosing,
    MonthSheet,
    Obstacle,
)
from daozhang.service.merchants.model import Merchant


class ObstacleOut(BaseModel):
    """Something that stands in the way of closing."""

    code: str
    say: str
    say_zh: str

    @classmethod
    def of(cls, one: Obstacle) -> Self:
        """``one``, rendered."""
        return cls(code=one.code, say=one.say, say_zh=one.say_zh)


class ClosedDayOut(BaseModel):
    """A day of the month, and who closed it."""

    day: date
    colour: Colour = Field(description="grey, amber, red, green (it can be closed), closed.")
    open_count: int = Field(description="How many cases of it wait.")
    open_amount: str = Field(description="Over how much money.")
    closed_by: str | None = Field(description="The name of whoever closed it.")
    closed_at: datetime | None

    @classmethod
    def of(cls, line: DayLine) -> Self:
        """``line``, rendered."""
        closing = line.closing
        return cls(
            day=line.day,
            colour=line.colour,
            open_count=line.open_count,
            open_amount=str(Money(line.open_minor)),
            closed_by=None if closing is None else closing.closed_name,
            closed_at=None if closing is None else closing.closed_at,
        )


class MonthBillOut(BaseModel):
    """The month's own bill beside those of its days."""

    kind: str
    status: StatementStatus
    compared: bool = Field(description="Whether every day of the month has its bill here.")
    agrees: bool | None = Field(description="Null where they cannot be compared.")

    @classmethod
    def of(cls, kind: str, bill: MonthBill) -> Self:
        """``bill``, rendered."""
        compared = bill.days is not None and bill.status is StatementStatus.READY
        agrees = not bill.differs if compared else None
        return cls(kind=kind, status=bill.status, compared=compared, agrees=agrees)


class AccountSums(BaseModel):
    """An account over the month, as it was closed. Debits are above zero."""

    opening: str
    debits: str
    credits: str
    closing: str


class MonthOut(BaseModel):
    """A month of an Alipay account: how its days stand, and who closed it."""

    object: str = "reconciliation_month"
    environment: str
    seller_id: str
    month: str
    first: date = Field(
        description="The month counts from here: its first day, or the first that was ever closed."
    )
    last: date
    status: str = Field(description="open, proposed (a second person has to agree), closed.")
    obstacles: list[ObstacleOut] = Field(description="What stands in the way of closing it.")
    proposed_by: str | None
    proposed_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None
    note: str | None
    accounts: dict[str, AccountSums] | None = Field(
        description="The trial balance with which it was closed; null until then."
    )
    bills: list[MonthBillOut] = Field(description="The month's own bills, if there are any.")
    days: list[ClosedDayOut]

    @classmethod
    def of(cls, merchant: Merchant, sheet: MonthSheet) -> Self:
        """``sheet``, rendered."""
        closing = sheet.closing
        return cls(
            environment=merchant.environment,
            seller_id=merchant.seller_id,
            month=f"{sheet.month:%Y-%m}",
            first=sheet.first,
            last=sheet.last,
            status=status_of(closing),
            obstacles=[ObstacleOut.of(one) for one in sheet.obstacles],
            proposed_by=None if closing is None else closing.proposed_name,
            proposed_at=None if closing is None else closing.proposed_at,
            closed_by=None if closing is None else closing.closed_name,
            closed_at=None if closing is None else closing.closed_at,
            note=None if closing is None else closing.note,
            accounts=_accounts(closing) if closing is not None and closing.is_closed else None,
            bills=[MonthBillOut.of(kind, bill) for kind, bill in sheet.bills.items()],
            days=[ClosedDayOut.of(line) for line in sheet.days],
        )


def status_of(closing: MonthClosing | None) -> str:
    """Where a month stands."""
    if closing is None:
        return "open"
    return "closed" if closing.is_closed else "proposed"


def _accounts(closing: MonthClosing) -> dict[str, AccountSums]:
    kept: Mapping[str, Mapping[str, Any]] = closing.figures["accounts"]
    return {
        account: AccountSums(
            opening=str(Money(sums["opening_minor"])),
            debits=str(Money(sums["debits_minor"])),
            credits=str(Money(sums["credits_minor"])),
            closing=str(Money(sums["closing_minor"])),
        )
        for account, sums in kept.items()
    }
