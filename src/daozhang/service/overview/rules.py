"""How slices of hours become days, ways and merchants. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from daozhang.clock import BEIJING
from daozhang.service.overview.model import Comparison, Day, Slice, Sums

HOURS: Final = 24

DAYS_SHOWN: Final = 30

PERIODS_DAYS: Final = (1, 7, 30)
"""Of how many days, today's included, ways and merchants are summed up; the first unless asked."""

DAYS_BEFORE: Final[Mapping[Comparison, int]] = {
    Comparison.YESTERDAY: 1,
    Comparison.WEEK_BEFORE: 7,
}

PROMPT_SECONDS: Final = 120
"""What is booked later than this after it was paid is told of as late: nobody waits for it now."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BEIJING_HOURS: Final = 8
"""By how many hours Beijing's day begins earlier than that of UTC: whole hours, without summer time."""


def day_number(day: date) -> int:
    """A day as the tables number it: from 1970-01-01."""
    return (day - _EPOCH.date()).days


def hour_number(at: datetime) -> int:
    """An hour as the tables number it: from 1970-01-01T00:00Z."""
    return (at - _EPOCH) // timedelta(hours=1)


def first_hour(day: date) -> int:
    """The number of the hour in which that day of Beijing's begins."""
    return day_number(day) * HOURS - _BEIJING_HOURS


def day_start(day: date) -> datetime:
    """When that day of Beijing's begins."""
    return _EPOCH + timedelta(hours=first_hour(day))


def hours_over(at: datetime) -> int:
    """How many hours of the day are over."""
    return at.astimezone(BEIJING).hour


def whole_hours(slices: Iterable[Slice]) -> Mapping[int, Sums]:
    """The sums of each hour."""
    found: defaultdict[int, Sums] = defaultdict(Sums)
    for one in slices:
        found[one.hour] += one.sums
    return found


def day_of(hours: Mapping[int, Sums], day: date, over: int, delays: Mapping[int, int]) -> Day:
    """One day, with its first ``over`` hours apart."""
    start = first_hour(day)
    each = [hours.get(start + number, Sums()) for number in range(HOURS)]
    return Day(day, total(each), total(each[:over]), each, median(delays))


def days_of(hours: Mapping[int, Sums], last: date, count: int) -> Sequence[tuple[date, Sums]]:
    """The sums of each of ``count`` days, ``last`` the last."""
    found: list[tuple[date, Sums]] = []
    for back in reversed(range(count)):
        day = last - timedelta(days=back)
        start = first_hour(day)
        found.append((day, total(hours.get(start + n, Sums()) for n in range(HOURS))))
    return found


def total(sums: Iterable[Sums]) -> Sums:
    """All of them together."""
    return sum(sums, Sums())


def median(counts: Mapping[int, int]) -> int | None:
    """The middle one of values that come as often as ``counts`` says; the lower of two."""
    left = (sum(counts.values()) + 1) // 2
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    return None
