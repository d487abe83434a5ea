"""Cases and days: where they stand, and how they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from daozhang.service.bills.model import Statement
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
    """A mismatch, and what people have done about it so far."""

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
class DaySheet:
    """A day, whole: its bills, the last runs over them, and what stands in the way of closing it."""

    line: DayLine
    statements: Mapping[str, Statement | None]
    runs: Mapping[str, Run | None]
    obstacles: Sequence[Obstacle]
