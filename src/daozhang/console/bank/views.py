"""What the pages of the bank show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from daozhang.clock import business_day
from daozhang.console.ledger.views import BookView, book_view
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.banking.actions import BankSide
from daozhang.service.banking.model import (
    BankLine,
    Match,
    MatchParts,
    MatchStatus,
    Suggestion,
    Withdrawal,
)
from daozhang.service.people.model import Right

DAY: Final = "day_"
LINE: Final = "line_"
"""Before the names of what is ticked in the form of a match."""

OPEN_SHOWN: Final = 80
"""So many of each side: a form has 200 fields at most. What is older is matched first."""

OPEN_DAYS: Final = 7
"""What is open for longer is worth a question to the bank."""

Tabs = Sequence[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A day of withdrawals, or a line of the bank, that nobody has matched."""

    field: str
    day: date
    amount: Money
    who: str
    reference: str
    is_old: bool


@dataclass(frozen=True, slots=True)
class SideView:
    """One side: what of it is shown, and what all of it comes to."""

    rows: Sequence[OpenRow]
    sum: Money
    hidden_count: int


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    """What probably belongs together, with the fields that say so."""

    days: Sequence[date]
    lines: Sequence[BankLine]
    amount: Money
    fields: Sequence[str]


@dataclass(frozen=True, slots=True)
class OpenView:
    """What is open on both sides."""

    book: BookView
    path: str
    tabs: Tabs
    in_transit: Money
    withdrawals: SideView
    lines: SideView
    suggestions: Sequence[SuggestionRow]
    is_new: bool
    may_match: bool


@dataclass(frozen=True, slots=True)
class MatchRow:
    """Which withdrawals are which lines, as somebody has said."""

    match: Match
    amount: Money
    state: str
    days: Sequence[date]
    lines: Sequence[BankLine]
    approval: str | None


@dataclass(frozen=True, slots=True)
class MatchesView:
    """The latest matches."""

    book: BookView
    path: str
    tabs: Tabs
    rows: Sequence[MatchRow]
    may_match: bool


def open_view(visit: Visit, side: BankSide, in_transit: int) -> OpenView:
    """Both sides, as far as they are open, oldest first."""
    path, currency = f"{visit.home}/bank", side.book.currency
    today = business_day(visit.context.clock.now())
    withdrawals = [
        _withdrawal_row(one, currency, today) for one in side.withdrawals if one.open_minor
    ]
    lines = [_line_row(one, currency, today) for one in side.lines if one.is_free]
    return OpenView(
        book=book_view(visit, side.book, None),
        path=path,
        tabs=_tabs(visit, path, is_open=True),
        in_transit=Money(in_transit, currency),
        withdrawals=_side_view(withdrawals, currency),
        lines=_side_view(lines, currency),
        suggestions=[_suggestion_row(one, currency) for one in side.suggestions[:OPEN_SHOWN]],
        is_new=not side.withdrawals and not side.lines,
        may_match=visit.may(Right.LEDGER_BOOK),
    )


def matches_view(visit: Visit, side: BankSide, parts: Mapping[int, MatchParts]) -> MatchesView:
    """What was said, newest first."""
    path, currency = f"{visit.home}/bank", side.book.currency
    return MatchesView(
        book=book_view(visit, side.book, None),
        path=path,
        tabs=_tabs(visit, path, is_open=False),
        rows=[
            MatchRow(
                match=one,
                amount=Money(one.minor, currency),
                state=f"match.{one.status}",
                days=parts[one.id].days,
                # An ended match has let its lines go: another may have them by now.
                lines=[] if one.status is MatchStatus.ENDED else parts[one.id].lines,
                approval=f"{visit.home}/approvals/{one.approval_id}" if one.approval_id else None,
            )
            for one in side.matches
        ],
        may_match=visit.may(Right.LEDGER_BOOK),
    )


def _side_view(rows: Sequence[OpenRow], currency: str) -> SideView:
    whole = Money.total((one.amount for one in rows), currency)
    return SideView(rows[:OPEN_SHOWN], whole, max(len(rows) - OPEN_SHOWN, 0))


def _withdrawal_row(one: Withdrawal, currency: str, today: date) -> OpenRow:
    amount = Money(one.open_minor, currency)
    return OpenRow(f"{DAY}{one.day}", one.day, amount, "", "", _is_old(one.day, today))


def _line_row(one: BankLine, currency: str, today: date) -> OpenRow:
    return OpenRow(
        f"{LINE}{one.public_id}",
        one.day,
        Money(one.minor, currency),
        one.counterparty,
        one.reference,
        _is_old(one.day, today),
    )


def _is_old(day: date, today: date) -> bool:
    return (today - day).days > OPEN_DAYS


def _suggestion_row(one: Suggestion, currency: str) -> SuggestionRow:
    fields = [f"{DAY}{day}" for day in one.days] + [f"{LINE}{line.public_id}" for line in one.lines]
    return SuggestionRow(one.days, one.lines, Money(one.minor, currency), fields)


def _tabs(visit: Visit, path: str, *, is_open: bool) -> Tabs:
    return [
        (path, visit.t(word("Open")), is_open),
        (f"{path}/matches", visit.t(word("Matches")), not is_open),
    ]
