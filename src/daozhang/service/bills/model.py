"""Statements and their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from daozhang.clock import BEIJING


class StatementKind(StrEnum):
    """Which bill; the values are Alipay's ``bill_type``."""

    TRADE = "trade"  # payments and refunds
    ACCOUNT = "signcustomer"  # every movement of the account


NAMES: Final[Mapping[StatementKind, tuple[str, str]]] = {
    StatementKind.TRADE: ("trade bill", "业务账单"),
    StatementKind.ACCOUNT: ("account bill", "账务账单"),
}
"""What people call them, in English and Chinese."""


class StatementStatus(StrEnum):
    """Where the bill of a day or month stands."""

    WAITING = "waiting"  # it is not there yet, or not fetched
    KEPT = "kept"  # its file is here, and not read yet
    READY = "ready"  # read, and its lines are what it says they add up to
    HELD = "held"  # it cannot be used as it is: a person looks
    NONE = "none"  # Alipay says that nothing happened
    ABSENT = "absent"  # Alipay has none, days after it should


class FileOrigin(StrEnum):
    """How a file came."""

    FETCHED = "fetched"
    UPLOADED = "uploaded"


class FileStatus(StrEnum):
    """What became of a file."""

    KEPT = "kept"
    READY = "ready"
    HELD = "held"
    REPLACED = "replaced"  # another one stands for its day


MONTH: Final = len("2026-03")


@dataclass(frozen=True, slots=True)
class Statement:
    """The bill of an Alipay account for a day (``2026-03-01``) or a month (``2026-03``)."""

    id: int
    environment: str
    seller_id: str
    kind: StatementKind
    period: str
    status: StatementStatus
    file_id: int | None
    due_at: datetime | None
    attempt: int
    last_code: str | None
    last_message: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_month(self) -> bool:
        """Whether it is a month's."""
        return len(self.period) == MONTH

    @property
    def first(self) -> date:
        """Its first day."""
        return date.fromisoformat(f"{self.period}-01" if self.is_month else self.period)

    @property
    def since(self) -> datetime:
        """When its time begins, in Beijing."""
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=BEIJING)

    @property
    def until(self) -> datetime:
        """When its time is over."""
        if not self.is_month:
            return self.since + timedelta(days=1)
        return (self.since + timedelta(days=31)).replace(day=1)


@dataclass(frozen=True, slots=True)
class StatementFile:
    """A file as it came. ``totals`` are those of its lines, ``differences`` where the file itself states
    others, ``problem`` why it cannot be read at all: all written when it was read."""

    id: int
    public_id: str
    statement_id: int
    name: str
    sha256: str
    size: int
    origin: FileOrigin
    status: FileStatus
    added_by: str
    added_name: str
    added_at: datetime
    line_count: int | None
    totals: Mapping[str, Any] | None
    differences: Sequence[Mapping[str, str]]
    new_columns: Sequence[str]
    problem: Mapping[str, str] | None
