"""Decisions about receipts: when Alipay is asked, when it is given up, which keys there are. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Final

from daozhang.alipay.operations.transfer import ReceiptKind
from daozhang.service.receipts.model import AccountReceiptKind, Made

ASK_DELAYS_SECONDS: Final = (3, 5, 10, 30, 60, 300, 900)
"""When Alipay is asked whether the file is there; the last one repeats."""

FILE_LIFE: Final = timedelta(days=2)
"""How long Alipay keeps what it was asked to make (apis.md §6.5)."""

APPLIES_MAX: Final = 3
"""After so many files that failed it is given up."""

ALIPAY_KINDS: Final = {
    AccountReceiptKind.DAY: ReceiptKind.DAY,
    AccountReceiptKind.MONTH: ReceiptKind.MONTH,
    AccountReceiptKind.DAYS: ReceiptKind.DAYS,
    AccountReceiptKind.MOVEMENT: ReceiptKind.MOVEMENT,
}

_MOVEMENT: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_DAYS: Final = re.compile(r"[0-9]{8}-[0-9]{8}")


def again_at(ask_count: int, now: datetime) -> datetime:
    """When Alipay is asked again about a receipt about which it was asked so often."""
    rung = min(ask_count, len(ASK_DELAYS_SECONDS) - 1)
    return now + timedelta(seconds=ASK_DELAYS_SECONDS[rung])


def is_forgotten(receipt: Made, now: datetime) -> bool:
    """Whether Alipay knows nothing any more of what it was asked to make."""
    return receipt.applied_at is not None and now >= receipt.applied_at + FILE_LIFE


def last_day(kind: AccountReceiptKind, key: str) -> date | None:
    """The last day that a receipt is of; ``None`` if it is of one movement. Raises `ValueError` for a
    key that is none: ``2026-03-02``, ``2026-03``, ``20260302-20260305`` or a movement's number."""
    if kind is AccountReceiptKind.MOVEMENT:
        if not _MOVEMENT.fullmatch(key):
            raise ValueError(f"{key!r} is no number of a movement")
        return None
    if kind is AccountReceiptKind.DAY:
        day = date.fromisoformat(key)
        if day.isoformat() != key:
            raise ValueError(f"{key!r} is no day")
        return day
    if kind is AccountReceiptKind.MONTH:
        first = date.fromisoformat(f"{key}-01")
        if first.isoformat() != f"{key}-01":
            raise ValueError(f"{key!r} is no month")
        return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    if not _DAYS.fullmatch(key):
        raise ValueError(f"{key!r} are no days")
    first, last = (date.fromisoformat(part) for part in key.split("-"))
    if last < first:
        raise ValueError(f"{key!r} ends before it begins")
    return last
