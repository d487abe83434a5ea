"""What an overview says: sums of hours, days, ways and merchants, and what arrived last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from daozhang.money import Money
from daozhang.service.watch.model import AtRisk


@dataclass(frozen=True, slots=True)
class Sums:
    """What happened in some span of time, in minor units.

    ``paid_count`` are those of the orders created then that have been paid, whenever that was;
    ``received_*`` are payments made then, whenever their order was created.
    """

    created_count: int = 0
    paid_count: int = 0
    received_count: int = 0
    received_minor: int = 0
    refunded_count: int = 0
    refunded_minor: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.created_count + other.created_count,
            self.paid_count + other.paid_count,
            self.received_count + other.received_count,
            self.received_minor + other.received_minor,
            self.refunded_count + other.refunded_count,
            self.refunded_minor + other.refunded_minor,
        )

    @property
    def net_minor(self) -> int:
        """What came in without what went back."""
        return self.received_minor - self.refunded_minor

    @property
    def paid_permille(self) -> int | None:
        """How many of a thousand orders have been paid; ``None`` of none."""
        return round(self.paid_count * 1000 / self.created_count) if self.created_count else None


@dataclass(frozen=True, slots=True)
class Slice:
    """The sums of one merchant, hour and way. ``way`` is empty where none is told apart."""

    merchant_id: int
    hour: int
    way: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Delays:
    """How many payments of a day were booked how many seconds after they were made."""

    counts: Mapping[int, int]


class Comparison(StrEnum):
    """What today is compared with."""

    YESTERDAY = "yesterday"
    WEEK_BEFORE = "week_before"


@dataclass(frozen=True, slots=True)
class Day:
    """A day of Beijing's: its sums, those of its first hours alone, and hour by hour."""

    day: date
    sums: Sums
    so_far: Sums
    hours: Sequence[Sums]
    median_seconds: int | None


class Kind(StrEnum):
    """What is told of as it happens."""

    PAID = "order.paid"
    PAID_LATE = "order.paid_late"
    REFUNDED = "refund.succeeded"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Money that came or went. ``is_prompt``: booked right after it was paid, in time."""

    event_id: str
    kind: Kind
    merchant_id: int
    out_trade_no: str
    subject: str
    way: str
    amount: Money
    at: datetime
    is_prompt: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """One look at the books of some merchants of one environment, all of one moment.

    ``hours_over`` is how many hours of today are over: up to there days are compared.
    ``is_whole`` is false while what was there before is still being counted.
    """

    at: datetime
    currency: str
    hours_over: int
    today: Day
    before: Mapping[Comparison, Day]
    days: Sequence[tuple[date, Sums]]
    ways: Mapping[str, Sums]
    merchants: Mapping[int, Sums]
    period_days: int
    at_risk: Sequence[AtRisk]
    arrivals: Sequence[Arrival]
    is_whole: bool
