"""What the page of payouts shows, ready for its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from babel.dates import format_date

from daozhang.console.formats import LOCALES
from daozhang.console.ledger.views import BookView, book_view
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.ledger.model import Account, Payout
from daozhang.service.payouts.model import (
    Forecast,
    FrozenLine,
    HeldFor,
    Origin,
    PayoutDay,
    UnsettledLine,
)

TILES: Final[Sequence[tuple[Account, str, str]]] = (
    (
        Account.AVAILABLE,
        word("Can be spent now"),
        word("In the Alipay account"),
    ),
    (Account.UNSETTLED, word("Still to be paid out"), word("Paid by buyers, not in the account")),
    (Account.FROZEN, word("Frozen"), word("In the account, and held")),
    (
        Account.WITHDRAWAL_IN_TRANSIT,
        word("On its way to the bank"),
        word("Withdrawn, and not matched with the bank yet"),
    ),
)

PARTS: Final[Mapping[Origin, str]] = {
    Origin.EARLIER: word("Payments from before those days"),
    Origin.BY_HAND: word("Entries by hand"),
}

HELD: Final[Mapping[HeldFor, str]] = {
    HeldFor.SHARING: word("It is to be shared"),
    HeldFor.BY_HAND: word("An entry by hand says so"),
}


@dataclass(frozen=True, slots=True)
class Tile:
    """What an account holds now, and where that is taken apart."""

    name: str
    says: str
    amount: Money
    address: str


@dataclass(frozen=True, slots=True)
class Part:
    """A line of a day: of which payments the money is."""

    name: str
    order_count: int | None
    amount: Money
    fee: Money
    state: str


@dataclass(frozen=True, slots=True)
class DayRows:
    """A day of a payout with its parts; ``day`` is ``None`` for what is of no day that can be told."""

    day: date | None
    weekday: str
    amount: Money
    fee: Money
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class FrozenRow:
    """A part of what is frozen."""

    name: str
    order_count: int | None
    why: str
    released_by: date | None
    amount: Money


@dataclass(frozen=True, slots=True)
class PayoutsView:
    """An account: what it has, and what comes when."""

    book: BookView
    here: str
    at: datetime
    is_at_once: bool
    payout_days: int
    tiles: Sequence[Tile]
    days: Sequence[DayRows]
    sum: Money
    fee: Money
    late: Money
    frozen: Sequence[FrozenRow]
    known_through: date | None
    unknown_years: str
    sources: Sequence[tuple[int, str]]


def payouts_view(visit: Visit, found: Forecast) -> PayoutsView:
    """What is expected of an account, as ``visit`` reads it."""
    book = book_view(visit, found.book, found.backfilling_until)
    currency = found.book.currency

    def tile(account: Account, name: str, says: str) -> Tile:
        held = Money(found.balances[account], currency)
        return Tile(visit.t(name), visit.t(says), held, f"{book.path}/{account}")

    return PayoutsView(
        book=book,
        here=f"{visit.home}/payouts",
        at=found.at,
        is_at_once=found.book.payout is Payout.AT_ONCE,
        payout_days=found.book.payout_days,
        tiles=[tile(*one) for one in TILES],
        days=[_day_rows(visit, day, found.unsettled) for day in found.days],
        sum=Money(found.balances[Account.UNSETTLED], currency),
        fee=Money.total((one.estimated_fee for one in found.unsettled), currency),
        late=Money.total((one.amount for one in found.unsettled if one.state == "late"), currency),
        frozen=[_frozen_row(visit, one) for one in found.frozen],
        known_through=found.working_days.known_through,
        unknown_years=", ".join(str(year) for year in found.unknown_years),
        sources=[(one.year, one.source) for _, one in sorted(found.working_days.years.items())],
    )


def _day_rows(visit: Visit, day: PayoutDay, lines: Sequence[UnsettledLine]) -> DayRows:
    weekday = "" if day.day is None else format_date(day.day, "EEE", LOCALES[visit.language])
    return DayRows(
        day=day.day,
        weekday=weekday,
        amount=day.amount,
        fee=day.estimated_fee,
        parts=[
            Part(
                _name(visit, one.origin, one.paid_on),
                one.order_count,
                one.amount,
                one.estimated_fee,
                f"payout.{one.state}",
            )
            for one in lines
            if one.pays_out_on == day.day
        ],
    )


def _frozen_row(visit: Visit, one: FrozenLine) -> FrozenRow:
    return FrozenRow(
        name=_name(visit, one.origin, one.paid_on),
        order_count=one.order_count,
        why=visit.t(HELD[one.held_for]),
        released_by=one.released_by,
        amount=one.amount,
    )


def _name(visit: Visit, origin: Origin, paid_on: date | None) -> str:
    if paid_on is None:
        return visit.t(PARTS[origin])
    return visit.t("Payments of {day}", day=visit.formats.day(paid_on))
