"""Withdrawals of a day, lines of a bank statement, and which are which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from daozhang.service.approvals.model import ApprovalStatus


class MatchStatus(StrEnum):
    """Where a match stands."""

    WAITING = "waiting"  # a second person decides
    POSTED = "posted"  # agreed: the ledger says that the money is at the bank
    NOTHING_TO_POST = "nothing_to_post"  # what had left has come back: nothing is in transit
    ENDED = "ended"  # declined, withdrawn or too late: its lines and days are free again


STATUS_OF: Mapping[ApprovalStatus, MatchStatus] = {
    ApprovalStatus.PENDING: MatchStatus.WAITING,
    ApprovalStatus.APPROVED: MatchStatus.POSTED,
    ApprovalStatus.DECLINED: MatchStatus.ENDED,
    ApprovalStatus.EXPIRED: MatchStatus.ENDED,
    ApprovalStatus.WITHDRAWN: MatchStatus.ENDED,
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Under which names a statement has what is read of it: the first name that it has counts."""

    date: Sequence[str]
    amount: Sequence[str]
    counterparty: Sequence[str]
    reference: Sequence[str]


@dataclass(frozen=True, slots=True)
class StatementLine:
    """Money that came to the bank, as a statement says."""

    day: date
    minor: int
    counterparty: str
    reference: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class StatementRead:
    """What a statement holds: the lines that are kept, and how many are nobody's business here."""

    lines: Sequence[StatementLine]
    skipped_count: int


@dataclass(frozen=True, slots=True)
class BankLine:
    """A line that is kept. ``is_free``: no match has it that may still be posted."""

    id: int
    public_id: str
    day: date
    minor: int
    counterparty: str
    reference: str
    is_free: bool


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What left the account for the bank on a day, less what came back that day: one entry of the account
    bill. Below zero: more came back than left. ``matched`` is what matches have of it."""

    day: date
    minor: int
    matched_minor: int

    @property
    def open_minor(self) -> int:
        """What no match has."""
        return self.minor - self.matched_minor


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Days of withdrawals and lines of the bank that come to the same. No line: what left came back."""

    days: Sequence[date]
    lines: Sequence[BankLine]
    minor: int


@dataclass(frozen=True, slots=True)
class Match:
    """Which withdrawals are which lines, as somebody has said."""

    id: int
    public_id: str
    minor: int
    approval_id: str | None
    approval: ApprovalStatus | None
    created_at: datetime

    @property
    def status(self) -> MatchStatus:
        """Where it stands."""
        return MatchStatus.NOTHING_TO_POST if self.approval is None else STATUS_OF[self.approval]


@dataclass(frozen=True, slots=True)
class MatchParts:
    """What a match holds: days of withdrawals, and lines of the bank."""

    days: Sequence[date]
    lines: Sequence[BankLine]
