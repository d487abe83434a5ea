"""What a receipt is of, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class ReceiptStatus(StrEnum):
    """How far a receipt is."""

    REQUESTED = "requested"
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"


class Made(Protocol):
    """What the steps of a receipt go by, whatever it is of."""

    @property
    def status(self) -> ReceiptStatus:
        """How far it is."""
        ...

    @property
    def file_id(self) -> str | None:
        """Under which Alipay makes it."""
        ...

    @property
    def applied_at(self) -> datetime | None:
        """When it was asked for last."""
        ...

    @property
    def apply_count(self) -> int:
        """How often it was asked for."""
        ...

    @property
    def ask_count(self) -> int:
        """How often it was looked whether it is there."""
        ...


class AccountReceiptKind(StrEnum):
    """What of an account a receipt is of."""

    DAY = "day"  # the sums of a day
    MONTH = "month"  # the sums of a month
    DAYS = "days"  # every movement of some days
    MOVEMENT = "movement"  # one movement


@dataclass(frozen=True, slots=True)
class AccountReceipt:
    """A receipt of an account: all merchants of one seller id share it. The file rests sealed."""

    id: int
    merchant_id: int
    environment: str
    seller_id: str
    kind: AccountReceiptKind
    key: str
    status: ReceiptStatus
    created_at: datetime
    updated_at: datetime
    file_id: str | None = None
    applied_at: datetime | None = None
    ask_count: int = 0
    apply_count: int = 0
    attempt: int = 0
    due_at: datetime | None = None
    last_code: str | None = None
    last_message: str | None = None
    pdf_sealed: bytes | None = field(default=None, repr=False)
    pdf_sha256: str | None = None
    pdf_bytes: int | None = None
