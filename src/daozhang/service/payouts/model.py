"""What is expected of an account: days of payments, days of payouts, and what is held back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from daozhang.money import Money
from daozhang.service.ledger.model import Account, Book

SATURDAY: Final = 5


class Origin(StrEnum):
    """What a line of money is of."""

    PAYMENTS = "payments"  # of one day
    EARLIER = "earlier"  # of payments from before the days that were looked at
    BY_HAND = "by_hand"  # entries by hand that name no order


class PayoutState(StrEnum):
    """How a line stands to the day of its payout."""

    EXPECTED = "expected"  # today, or on a day to come
    AWAITING_BILL = "awaiting_bill"  # that day is over, and its account bill has not been read
    LATE = "late"  # that day's account bill has been read, and it is not in there
    AWAITING_CONFIRMATION = (
        "awaiting_confirmation"  # direct pay: it comes once its settlement is confirmed
    )
    UNKNOWN = "unknown"  # nobody can say on which day


class HeldFor(StrEnum):
    """Why money is frozen."""

    SHARING = "sharing"  # of payments that are to be shared (分账)
    BY_HAND = "by_hand"  # an entry by hand says so


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """The holidays of a year as they were announced: ``off`` are days without work, ``worked`` are
    Saturdays and Sundays on which banks work instead."""

    year: int
    source: str
    off: frozenset[date]
    worked: frozenset[date]


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """Which days are working days, in the years that are known."""

    years: Mapping[int, CalendarYear]

    def is_working(self, day: date) -> bool | None:
        """Whether banks move money on that day; ``None`` if its year's holidays are not known."""
        year = self.years.get(day.year)
        if year is None:
            return None
        return day not in year.off and (day.weekday() < SATURDAY or day in year.worked)

    @property
    def known_through(self) -> date | None:
        """The last day of the years that are known."""
        return date(max(self.years), 12, 31) if self.years else None


@dataclass(frozen=True, slots=True)
class UnsettledLine:
    """A part of what Alipay has not paid out. Each fen of it stands in one line.

    ``paid_on`` is ``None`` for what is of no one day. ``estimated_fee`` is what Alipay will probably take;
    it is no part of the amount's sums.
    """

    origin: Origin
    paid_on: date | None
    amount: Money
    order_count: int | None
    estimated_fee: Money
    pays_out_on: date | None
    state: PayoutState


@dataclass(frozen=True, slots=True)
class FrozenLine:
    """A part of what is in the account and cannot be spent. Each fen of it stands in one line."""

    origin: Origin
    held_for: HeldFor
    paid_on: date | None
    amount: Money
    order_count: int | None
    released_by: date | None


@dataclass(frozen=True, slots=True)
class PayoutDay:
    """What is expected on one day; ``None``: on a day that nobody can say."""

    day: date | None
    amount: Money
    estimated_fee: Money


@dataclass(frozen=True, slots=True)
class Forecast:
    """An account at a moment: what can be spent, what will be paid out and when, what is frozen.

    ``unknown_years`` are those whose holidays would have to be known to say more.
    """

    book: Book
    at: datetime
    balances: Mapping[Account, int]
    unsettled: Sequence[UnsettledLine]
    frozen: Sequence[FrozenLine]
    days: Sequence[PayoutDay]
    working_days: WorkingDays
    unknown_years: Sequence[int]
    backfilling_until: datetime | None


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Refunds, shares or transfers whose end is not known here: Alipay may have moved them."""

    what: str
    count: int
    minor: int


@dataclass(frozen=True, slots=True)
class AlipayBalance:
    """What Alipay says is in the account, in minor units. ``total`` is what can be spent and what is
    frozen; ``unsettled`` has not been paid out, ``None`` where Alipay does not say."""

    total: int
    available: int | None
    frozen: int | None
    unsettled: int | None


@dataclass(frozen=True, slots=True)
class LogSum:
    """What the movements of one type in Alipay's account log come to."""

    business: str
    count: int
    minor: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why both differ, by what the money was: what Alipay's log has since the last bill (``theirs``),
    and what the ledger has (``ours``). ``told_by`` is ``bill`` where only the account bill posts it."""

    what: str
    count: int
    ours: int
    theirs: int
    told_by: str

    @property
    def minor(self) -> int:
        """By how much it puts Alipay above the ledger."""
        return self.theirs - self.ours


class Unexplained(StrEnum):
    """Why a difference cannot be taken apart."""

    NO_BILL = "no_bill"  # no account bill has been read, so nobody knows what was there before
    TOO_LONG = "too_long"  # the last one is longer ago than Alipay's log reaches
    TOO_MANY = "too_many"  # more movements since then than are read for a question
    MOVING = "moving"  # the account moved each time it was looked at


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a difference comes from: ``carried`` was there on ``since``, when the first day began whose bill is
    not read; the rest came by ``reasons``. Together they are the difference."""

    since: date
    carried: int
    reasons: Sequence[Reason]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What Alipay says is in the account, beside what the ledger says, at one moment. ``difference``: by
    how much Alipay is above the ledger, of what can be spent and what is frozen."""

    book: Book
    at: datetime
    alipay: AlipayBalance
    ledger: Mapping[Account, int]
    difference: int
    under_way: Sequence[UnderWay]
    explanation: Explanation | Unexplained
