"""Runs over a bill, and what they find that differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from daozhang.service.bills.model import StatementKind


class MismatchClass(StrEnum):
    """In what a bill and the books differ."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT_DIFFERS = "amount_differs"
    FEE_DIFFERS = "fee_differs"
    STATE_DIFFERS = "state_differs"
    DAY_CUT = "day_cut"  # paid on one day, and in the bill of the next
    DUPLICATE = "duplicate"  # the bill has it twice
    FOREIGN = "foreign"  # another system's on the same account, as a rule says


class Resolution(StrEnum):
    """How a mismatch came to an end by itself."""

    AGREES = "agrees"
    DAY_CUT = "day_cut"
    SET_ASIDE = "set_aside"


@dataclass(frozen=True, slots=True)
class LineSide:
    """What a bill says of a payment or a refund. Amounts are in fen, below zero for refunds."""

    number: int
    is_refund: bool
    trade_no: str
    out_trade_no: str
    out_request_no: str
    at: str
    total: int
    receipt: int
    fee: int


@dataclass(frozen=True, slots=True)
class BookSide:
    """What the books say of the same. ``day`` is the day of business on which it happened."""

    trade_no: str | None
    status: str
    amount: int
    receipt: int | None
    day: date | None


@dataclass(frozen=True, slots=True)
class Run:
    """One reading of a bill: how many lines, how many agree, and what differs, by class."""

    id: int
    statement_id: int
    file_id: int | None
    at: datetime
    line_count: int
    matched_count: int
    matched_minor: int
    counts: Mapping[str, Any]
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ForeignRule:
    """How orders of another system on the same account begin: their lines are set aside."""

    id: int
    environment: str
    seller_id: str
    prefix: str
    note: str | None
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that differs, and what both sides say."""

    id: int
    public_id: str
    environment: str
    seller_id: str
    kind: StatementKind
    day: date
    mismatch: MismatchClass
    key: str
    merchant_id: int | None
    order_id: int | None
    trade_no: str | None
    out_trade_no: str | None
    out_request_no: str | None
    ours_minor: int | None
    theirs_minor: int | None
    evidence: Mapping[str, Any]
    resolution: str | None
    first_seen_at: datetime
    last_run_id: int
    resolved_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether both sides still differ, and nobody has settled it."""
        return self.resolved_at is None
