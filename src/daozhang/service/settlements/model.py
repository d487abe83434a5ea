"""What a confirmed settlement is, and what can become of asking for one (money.md §5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from daozhang.money import Money


class SettlementStatus(StrEnum):
    """Where a settlement stands."""

    REQUESTED = "requested"  # committed here; no call has confirmed it
    UNKNOWN = "unknown"  # it may be confirmed: only a query decides
    CONFIRMED = "confirmed"
    FAILED = "failed"  # Alipay definitely said no, and it will not be confirmed by this request


class Outcome(StrEnum):
    """What one call or question has told of a settlement."""

    PROVEN = "proven"  # it is confirmed
    REJECTED = "rejected"  # a definite no to this very call
    UNKNOWN = "unknown"  # timeout, broken or unverifiable answer, "system busy"
    ABSENT = "absent"  # asked late enough, and the payment still waits for it


@dataclass(frozen=True, slots=True)
class Settlement:
    """A settlement that somebody confirms: what is left of a payment. Unique by ``(environment, seller,
    out_request_no)``."""

    id: int
    order_id: int
    merchant_id: int
    out_request_no: str
    status: SettlementStatus
    amount: Money
    freezes: bool
    """Alipay keeps it frozen for its receivers once it is settled."""
    created_at: datetime
    updated_at: datetime
    requested_by: str | None = None
    calling: bool = False
    called_at: datetime | None = None
    call_count: int = 0
    ask_count: int = 0
    attempt: int = 0
    due_at: datetime | None = None
    held_at: datetime | None = None
    last_code: str | None = None
    last_message: str | None = None
    ended_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether its end is not known yet."""
        return self.status not in (SettlementStatus.CONFIRMED, SettlementStatus.FAILED)

    @property
    def is_requested(self) -> bool:
        """Whether it is to be sent."""
        return self.status is SettlementStatus.REQUESTED


@dataclass(frozen=True, slots=True)
class NewSettlement:
    """What a caller asks for."""

    out_request_no: str
    freezes: bool = False
    requested_by: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One outcome, with the words that came with it."""

    outcome: Outcome
    code: str | None = None
    message: str | None = None
