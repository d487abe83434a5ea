"""Withdrawals and the bank's lines as the API shows them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self

from pydantic import BaseModel, Field

from daozhang.money import Money
from daozhang.service.banking.actions import BankSide, Imported
from daozhang.service.banking.model import BankLine, Match, Suggestion, Withdrawal

CURRENCY = "CNY"


def _money(minor: int) -> str:
    return str(Money(minor, CURRENCY))


class ImportedOut(BaseModel):
    """What came of a bank statement."""

    object: str = "bank_import"
    environment: str
    sha256: str
    lines: int = Field(description="Money that Alipay has sent, as the statement says.")
    new: int = Field(description="Of those, lines that were not here yet.")
    skipped: int = Field(description="Of others, or money that went out: not kept.")

    @classmethod
    def of(cls, done: Imported, environment: str) -> Self:
        """``done``, rendered."""
        return cls(
            environment=environment,
            sha256=done.sha256,
            lines=len(done.read.lines),
            new=done.new_count,
            skipped=done.read.skipped_count,
        )


class WithdrawalOut(BaseModel):
    """What left the account for the bank on a day."""

    day: date
    amount: str = Field(description="Less what came back that day; below zero if more came back.")
    matched: str
    open: str = Field(description="What no match has.")

    @classmethod
    def of(cls, one: Withdrawal) -> Self:
        """``one``, rendered."""
        return cls(
            day=one.day,
            amount=_money(one.minor),
            matched=_money(one.matched_minor),
            open=_money(one.open_minor),
        )


class BankLineOut(BaseModel):
    """Money that came to the bank."""

    id: str
    day: date
    amount: str
    counterparty: str
    reference: str
    matched: bool

    @classmethod
    def of(cls, one: BankLine) -> Self:
        """``one``, rendered."""
        return cls(
            id=one.public_id,
            day=one.day,
            amount=_money(one.minor),
            counterparty=one.counterparty,
            reference=one.reference,
            matched=not one.is_free,
        )


class SuggestionOut(BaseModel):
    """What probably belongs together, as a match takes it."""

    days: list[date]
    lines: list[str]
    amount: str

    @classmethod
    def of(cls, one: Suggestion) -> Self:
        """``one``, rendered."""
        lines = [line.public_id for line in one.lines]
        return cls(days=list(one.days), lines=lines, amount=_money(one.minor))


class MatchIn(BaseModel):
    """Which withdrawals are which lines of the bank."""

    days: list[date] = Field(min_length=1, max_length=31)
    lines: list[str] = Field(max_length=500, description="None, where all that left has come back.")


class MatchOut(BaseModel):
    """Which withdrawals are which lines, as somebody has said."""

    object: str = "bank_match"
    id: str
    amount: str
    status: str = Field(
        description="waiting (for a second person), posted, nothing_to_post, ended."
    )
    approval: str | None
    created_at: datetime

    @classmethod
    def of(cls, one: Match) -> Self:
        """``one``, rendered."""
        return cls(
            id=one.public_id,
            amount=_money(one.minor),
            status=one.status.value,
            approval=one.approval_id,
            created_at=one.created_at,
        )


class BankSideOut(BaseModel):
    """Withdrawals against the bank, both ways."""

    object: str = "bank_side"
    environment: str
    seller_id: str
    withdrawals: list[WithdrawalOut]
    lines: list[BankLineOut]
    suggestions: list[SuggestionOut]
    matches: list[MatchOut]

    @classmethod
    def of(cls, found: BankSide) -> Self:
        """What was ``found``, rendered."""
        return cls(
            environment=found.book.environment,
            seller_id=found.book.seller_id,
            withdrawals=[WithdrawalOut.of(one) for one in found.withdrawals],
            lines=[BankLineOut.of(one) for one in found.lines],
            suggestions=[SuggestionOut.of(one) for one in found.suggestions],
            matches=[MatchOut.of(one) for one in found.matches],
        )
