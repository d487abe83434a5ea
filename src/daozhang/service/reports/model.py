"""What a report holds, before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from daozhang.service.closing.model import DayLine
from daozhang.service.ledger.model import Posted, TrialBalance
from daozhang.service.reconciliation.model import Mismatch


@dataclass(frozen=True, slots=True)
class Signature:
    """Who closed it, or proposed to. ``deed`` is ``closed`` or ``proposed``."""

    deed: str
    name: str
    at: datetime
    note: str | None = None


@dataclass(frozen=True, slots=True)
class PostedLine:
    """A move with the number of its order, where whoever reads may see that."""

    posted: Posted
    out_trade_no: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """A day or a month of an Alipay account. Of mismatches and postings there are ``mismatch_count`` and
    ``posted_count``; more than a sheet is meant for are not listed."""

    name: str
    environment: str
    seller_id: str
    first: date
    last: date
    made_at: datetime
    is_closed: bool
    signatures: Sequence[Signature]
    days: Sequence[DayLine]
    balance: TrialBalance
    mismatches: Sequence[Mismatch]
    mismatch_count: int
    postings: Sequence[PostedLine]
    posted_count: int
