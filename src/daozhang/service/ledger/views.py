"""The books as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Self

from pydantic import BaseModel, Field

from daozhang.clock import business_day
from daozhang.money import Money
from daozhang.service.ledger.model import Account, Book, Posted, TrialBalance
from daozhang.service.ledger.reading import estimated_fee

UNTIL = (
    "Entries of what was booked before the ledger was there are still being made, and have come as far "
    "as this moment; null once all are there."
)


class MoveOut(BaseModel):
    """One move of an entry: an amount that leaves `credit` and reaches `debit`."""

    object: str = "ledger_move"
    id: int
    kind: str = Field(description="payment, refund, share, fee, manual, reversal, ...")
    key: str = Field(
        description="With the kind, what names the entry: its moves have it in common."
    )
    debit: str
    credit: str
    amount: str
    currency: str
    at: datetime = Field(description="When it happened.")
    value_date: date = Field(description="Beijing's day of that.")
    booked_on: date = Field(
        description="The day to which it is posted: later if its own was locked already."
    )
    memo: str | None

    @classmethod
    def of(cls, posted: Posted) -> Self:
        """``posted``, rendered."""
        move = posted.move
        return cls(
            id=posted.id,
            kind=posted.kind.value,
            key=posted.key,
            debit=move.debit.value,
            credit=move.credit.value,
            amount=str(move.amount),
            currency=move.amount.currency,
            at=posted.at,
            value_date=business_day(posted.at),
            booked_on=posted.booked_on,
            memo=posted.memo,
        )


class MovePage(BaseModel):
    """A page of what was posted to an account on a day, oldest first."""

    object: str = "list"
    environment: str
    data: list[MoveOut]
    next_cursor: str | None


class BookOut(BaseModel):
    """Whose books they are, and how far they are closed."""

    environment: str
    seller_id: str
    currency: str
    locked_through: date | None = Field(
        description="The last day that is closed; nothing is posted to it or before it any more."
    )

    @classmethod
    def of(cls, book: Book) -> Self:
        """``book``, rendered."""
        return cls(
            environment=book.environment,
            seller_id=book.seller_id,
            currency=book.currency,
            locked_through=book.locked_through,
        )


class BalancesOut(BaseModel):
    """What each account held at a moment."""

    object: str = "ledger_balances"
    environment: str
    book: BookOut
    at: datetime
    balances: dict[str, str] = Field(description="By account. Debits are above zero.")
    backfilling_until: datetime | None = Field(description=UNTIL)

    @classmethod
    def of(
        cls,
        book: Book,
        at: datetime,
        found: Mapping[Account, int],
        backfilling_until: datetime | None,
    ) -> Self:
        """What was ``found``, rendered."""
        return cls(
            environment=book.environment,
            book=BookOut.of(book),
            at=at,
            balances={
                account.value: str(Money(minor, book.currency)) for account, minor in found.items()
            },
            backfilling_until=backfilling_until,
        )


class AccountOut(BaseModel):
    """One account over some days. Debits are above zero."""

    account: str
    opening: str
    debits: str
    credits: str
    closing: str


class TrialBalanceOut(BaseModel):
    """All accounts of a book over some days; the openings add up to nothing, and so do the closings."""

    object: str = "trial_balance"
    environment: str
    book: BookOut
    first: date
    last: date
    accounts: list[AccountOut]
    estimated_fee: str = Field(
        description="What Alipay will probably take of the payments of these days. Posted nowhere: the "
        "bill says what was taken."
    )
    backfilling_until: datetime | None = Field(description=UNTIL)

    @classmethod
    def of(cls, found: TrialBalance) -> Self:
        """``found``, rendered."""

        def text(minor: int) -> str:
            return str(Money(minor, found.book.currency))

        return cls(
            environment=found.book.environment,
            book=BookOut.of(found.book),
            first=found.first,
            last=found.last,
            accounts=[
                AccountOut(
                    account=one.account.value,
                    opening=text(one.opening),
                    debits=text(one.debits),
                    credits=text(one.credits),
                    closing=text(one.closing),
                )
                for one in found.accounts
            ],
            estimated_fee=str(estimated_fee(found)),
            backfilling_until=found.backfilling_until,
        )
