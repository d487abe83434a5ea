"""A notification as we keep it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from daozhang.service.merchants.model import Merchant
from daozhang.service.orders.model import TradeFact


class InboxStatus(StrEnum):
    """What became of a notification."""

    RECEIVED = "received"  # recorded and acknowledged, not yet applied
    CONFIRMING = "confirming"  # lacks an identity: a query decides
    WAITING = "waiting"  # names an order that does not exist yet
    APPLIED = "applied"
    KEPT = "kept"  # rows of earlier versions: a kind nobody acted on
    SURPRISED = "surprised"  # a person looks at it


FORGOTTEN: Final = b""
"""In place of a raw notification whose time is over; nothing that is sealed is empty."""

OPEN_STATUSES = (InboxStatus.RECEIVED, InboxStatus.CONFIRMING, InboxStatus.WAITING)
SETTLED_STATUSES = (InboxStatus.APPLIED, InboxStatus.KEPT)


class Arrival(msgspec.Struct, frozen=True):
    """A verified notification on its way into the inbox."""

    merchant: Merchant
    notify_id: str
    content_hash: str
    out_trade_no: str | None
    kind: str
    body: bytes
    fact: TradeFact | None
    is_about_trade: bool
    needs_confirmation: bool
    received_at: datetime

    @property
    def key(self) -> tuple[int, str, str]:
        """What tells it from all others: copies have the same."""
        return self.merchant.id, self.notify_id, self.content_hash


@dataclass(frozen=True, slots=True)
class RecordedNotification:
    """A row of the inbox."""

    id: int
    merchant_id: int
    notify_id: str
    kind: str
    out_trade_no: str | None
    status: InboxStatus
    fact: TradeFact | None
    attempts: int
    copies: int
    received_at: datetime
    applied_at: datetime | None
    outcome: str | None
    has_body: bool = True
    """Whether what Alipay sent is still here, word for word."""


@dataclass(frozen=True, slots=True)
class RefusedNotification:
    """A row of the sample of what was not believed. ``reason`` is why, ``detail`` a sentence."""

    id: int
    reason: str
    detail: str
    received_at: datetime
