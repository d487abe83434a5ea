"""When money of a payment becomes available: at once, or some working days later. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Final

from daozhang.clock import BEIJING, business_day

SETTLED_AT: Final = time(2, 0, tzinfo=BEIJING)
"""The hour at which a day's settlement is made (unverified)."""

_SATURDAY: Final = 5


def settled_at(paid_at: datetime, days: int, holidays: Collection[str]) -> datetime:
    """The moment at which a payment is settled, ``days`` working days after its own day.

    Saturdays, Sundays and ``holidays`` (``yyyy-MM-dd``) do not count.
    """
    day = business_day(paid_at)
    while days > 0:
        day += timedelta(days=1)
        if is_working_day(day, holidays):
            days -= 1
    return datetime.combine(day, SETTLED_AT)


def is_working_day(day: date, holidays: Collection[str]) -> bool:
    """Whether banks move money on that day."""
    return day.weekday() < _SATURDAY and day.isoformat() not in holidays
