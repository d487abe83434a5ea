"""Cases and days: where they stand, and how they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from daozhang.money import Money
from daozhang.service.bills.model import Statement, StatementStatus
from daozhang.service.reconciliation.model import Mismatch, MismatchClass, Run


class CaseStatus(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    PROPOSED = "proposed"  # somebody has said how it ends; a second person has to agree
    SETTLED = "settled"


class CaseEnd(StrEnum):
    """How people end a case: one proposes it, a second one agrees."""

    ACCEPTED = "accepted"  # Alipay's figure is right
    FOREIGN = "foreign"  # another system's on the same account
    EXPLAINED = "explained"  # both are right, and why they differ
    BOOKED = "booked"  # by hand, without a signed answer


@dataclass(frozen=True, slots=True)
class Case:
    """A mismatch, and what people have done about it so far.

    ``proposed_over`` is what the books and the bill had, in fen, when it was proposed how it ends.
    """

    mismatch: Mismatch
    status: CaseStatus
    owner: str | None = None
    owner_name: str | None = None
    proposed_end: CaseEnd | None = None
    proposed_by: str | None = None
    proposed_name: str | None = None
    proposal: str | None = None
    settled_by: str | None = None
    settled_name: str | None = None
    proposed_over: tuple[int | None, int | None] = (None, None)

    @property
    def has_changed(self) -> bool:
        """Whether it is over other figures by now than when it was proposed how it ends."""
        now = (self.mismatch.ours_minor, self.mismatch.theirs_minor)
        return self.status is CaseStatus.PROPOSED and self.proposed_over != now

    @property
    def stamp(self) -> str:
        """What a second person agrees to, so that a page that was open meanwhile can be told from a new one."""
        ours, theirs = self.proposed_over
        return f"{self.proposed_end}:{ours}:{theirs}"


@dataclass(frozen=True, slots=True)
class CaseNote:
    """What somebody has said about a case, or done."""

    at: datetime
    by: str
    name: str
    text: str


class Colour(StrEnum):
    """How a day stands, as the calendar shows it."""

    GREY = "grey"  # not over, or nothing is expected of it
    AMBER = "amber"  # a bill is awaited, or what differs is small
    RED = "red"  # money differs, or a bill is held
    GREEN = "green"  # everything agrees; it can be closed
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Closing:
    """Who closed a day, and when, and the figures with which."""

    day: date
    closed_by: str
    closed_name: str
    closed_at: datetime
    note: str | None
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DayLine:
    """A day in the calendar. ``open_counts``: how many cases wait, and over how many fen, by class."""

    day: date
    colour: Colour
    open_counts: Mapping[MismatchClass, tuple[int, int]]
    closing: Closing | None

    @property
    def open_count(self) -> int:
        """How many cases wait."""
        return sum(count for count, _ in self.open_counts.values())

    @property
    def open_minor(self) -> int:
        """Over how many fen."""
        return sum(minor for _, minor in self.open_counts.values())


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a day cannot be closed yet."""

    code: str
    say: str
    say_zh: str


@dataclass(frozen=True, slots=True)
class MonthClosing:
    """Who proposed to close a month, and who agreed; ``closed_at`` is ``None`` until somebody has. The
    ``figures`` are those with which it was closed. ``month`` is its first day."""

    month: date
    proposed_by: str
    proposed_name: str
    proposed_at: datetime
    note: str | None
    closed_by: str | None
    closed_name: str | None
    closed_at: datetime | None
    figures: Mapping[str, Any]

    @property
    def is_closed(self) -> bool:
        """Whether a second person has agreed."""
        return self.closed_at is not None


@dataclass(frozen=True, slots=True)
class SideSum:
    """What the lines of one side of a bill (payments, refunds, income, outgo) add up to."""

    count: int
    amount: Money


@dataclass(frozen=True, slots=True)
class MonthBill:
    """The month's own bill beside the bills of its days, by side. ``days`` is ``None`` where they cannot
    be compared: not every day of the month has a bill here."""

    status: StatementStatus
    month: Mapping[str, SideSum]
    days: Mapping[str, SideSum] | None

    @property
    def differs(self) -> bool:
        """Whether the month's bill was read, and says something else than those of its days."""
        if self.days is None or self.status is not StatementStatus.READY:
            return False
        return _something(self.month) != _something(self.days)


def _something(sums: Mapping[str, SideSum]) -> dict[str, SideSum]:
    return {side: total for side, total in sums.items() if total.count}


@dataclass(frozen=True, slots=True)
class MonthSheet:
    """A month, whole. It counts from ``first``, its first day or the first that was ever closed, to
    ``last``; ``bills`` are the month's own bills that were asked for or given, by kind."""

    month: date
    first: date
    last: date
    days: Sequence[DayLine]
    bills: Mapping[str, MonthBill]
    closing: MonthClosing | None
    obstacles: Sequence[Obstacle]

    @property
    def is_closed(self) -> bool:
        """Whether two people have closed it."""
        return self.closing is not None and self.closing.is_closed


@dataclass(frozen=True, slots=True)
class DaySheet:
    """A day, whole: its bills, the last runs over them, and what stands in the way of closing it."""

    line: DayLine
    statements: Mapping[str, Statement | None]
    runs: Mapping[str, Run | None]
    obstacles: Sequence[Obstacle]
