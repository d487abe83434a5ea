"""Which days, and which moment, an address of the ledger asks for. Days are Beijing's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Span:
    """Some days, both ends among them."""

    first: date
    last: date

    @property
    def query(self) -> Mapping[str, str]:
        """As an address has it."""
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


def month_of(day: date, back: int = 0) -> Span:
    """The month of ``day``, or the one so many before it."""
    first = day.replace(day=1)
    for _ in range(back):
        first = (first - timedelta(days=1)).replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    return Span(first, after - timedelta(days=1))


def span_of(query: Mapping[str, str], today: date) -> Span:
    """The days that are asked for, in whatever order; this month up to today if none are. What cannot
    be understood asks for nothing."""
    last = day_of(query, "to") or max(today, day_of(query, "from") or today)
    first = day_of(query, "from") or last.replace(day=1)
    return Span(min(first, last), max(first, last))


def day_of(query: Mapping[str, str], name: str) -> date | None:
    """A day that is asked for, if it is one that a neighbour on both sides can be told of."""
    try:
        day = date.fromisoformat(query.get(name, ""))
    except ValueError:
        return None
    return day if date.min.year < day.year < date.max.year else None


def moment_of(query: Mapping[str, str], zone: ZoneInfo, now: datetime) -> datetime:
    """The moment that is asked for, in the reader's zone; now if none is that can be understood."""
    try:
        picked = datetime.fromisoformat(query.get("at", ""))
    except ValueError:
        return now
    if not date.min.year < picked.year < date.max.year:
        return now
    return (picked if picked.tzinfo is not None else picked.replace(tzinfo=zone)).astimezone(UTC)
