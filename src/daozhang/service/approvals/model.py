"""What waits for a second person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from daozhang.money import Money
from daozhang.service.people.model import Right


class ApprovalKind(StrEnum):
    """What a second person is asked about."""

    REFUND = "refund"
    ALIPAY_KEY = "alipay_key"  # a new Alipay public key: whoever can swap it can forge payments
    LEDGER = "ledger"  # an entry by hand, or one that takes another back
    SHARE = "share"  # a part of an order's money for somebody else
    TRANSFER = "transfer"
    TRANSFER_BATCH = "transfer_batch"  # all transfers of a sheet


APPROVED_BY: Final[Mapping[ApprovalKind, Right]] = MappingProxyType(
    {
        ApprovalKind.REFUND: Right.REFUNDS_APPROVE,
        ApprovalKind.LEDGER: Right.LEDGER_APPROVE,
        ApprovalKind.TRANSFER: Right.TRANSFERS_APPROVE,
        ApprovalKind.TRANSFER_BATCH: Right.TRANSFERS_APPROVE,
        ApprovalKind.ALIPAY_KEY: Right.KEYS_APPROVE,
        ApprovalKind.SHARE: Right.REFUNDS_APPROVE,
    }
)
"""The right that approving each kind takes."""


class ApprovalStatus(StrEnum):
    """Where an approval stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"  # nobody decided in time
    WITHDRAWN = "withdrawn"  # by the one who asked


@dataclass(frozen=True, slots=True)
class Approval:
    """Something that waits for a second person. ``content`` is what will be done, word for word.

    ``subject`` names it once among the pending of its kind; ``requested_by`` and ``decided_by``
    are an `Actor` as text (``person:3``), the names what people read.
    """

    id: str
    kind: ApprovalKind
    status: ApprovalStatus
    merchant_id: int
    subject: str
    amount: Money | None
    reason: str | None
    content: Mapping[str, Any]
    requested_by: str
    requested_name: str
    created_at: datetime
    expires_at: datetime
    decided_by: str | None
    decided_name: str | None
    decided_at: datetime | None
    decision_note: str | None
