"""What a refund is, and what can become of it (money.md §1, §5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from daozhang.money import Money
from daozhang.service.orders.model import RefundFact

BY_POLICY: Final = "policy"
"""Who asks for a refund that the merchant has decided beforehand."""


class RefundStatus(StrEnum):
    """Where a refund stands."""

    REQUESTED = "requested"  # committed here; no call has moved money
    UNKNOWN = "unknown"  # it may have happened: only a query decides
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # it has not happened, and will not


NO_BALANCE_CODE: Final = "ACQ.SELLER_BALANCE_NOT_ENOUGH"
"""What Alipay says where the seller has too little money: the refund waits for it."""


NO_RETURN_CODES: Final = frozenset(
    {
        "ACQ.REFUNDALLOC_UNAUTH_LIMIT",
        "ACQ.REFUND_ROYALTY_PAYEE_ACCOUNT_NOT_EXIST",
        "ACQ.ALLOC_AMOUNT_VALIDATE_ERROR",
        "ACQ.TRADE_SETTLE_ERROR",
    }
)
"""What Alipay says where a receiver has not allowed it, or cannot, give back (apis.md §3.1)."""


class RefundOrigin(StrEnum):
    """Who started a refund."""

    OURS = "ours"
    EXTERNAL = "external"  # merchant centre, complaint, Alipay itself
    CANCEL = "cancel"  # a cancelled payment that had gone through


class RefundSelection(StrEnum):
    """Which of a merchant's refunds somebody wants to look at."""

    REQUESTED = "requested"
    UNKNOWN = "unknown"
    BALANCE = "balance"  # those that wait for the seller's balance
    HELD = "held"  # those that the switch for outgoing money keeps back
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXTERNAL = "external"
    BOUNCED = "bounced"  # those that a bank sent back


class Destination(StrEnum):
    """Where the money of a refund to a bank card is."""

    BANK_CARD_PENDING = "bank_card_pending"  # on its way to the card, for days
    BANK_CARD = "bank_card"  # the bank has taken it
    BUYER_BALANCE = "buyer_balance"  # the bank sent it back: it lies in the buyer's Alipay balance


class Outcome(StrEnum):
    """What one call or question to Alipay has told us about a refund."""

    PROVEN = "proven"  # fund_change=Y, or a query that says REFUND_SUCCESS
    REJECTED = "rejected"  # a definite no to this very call
    NO_BALANCE = "no_balance"  # a definite no for now: the seller has too little money
    NO_RETURN = "no_return"  # a definite no: somebody who has a share cannot give it back
    UNPROVEN = "unproven"  # accepted without a proof: 10000 and fund_change=N
    UNKNOWN = "unknown"  # timeout, broken or unverifiable answer, "system busy"
    ABSENT = "absent"  # asked late enough, and Alipay has no such refund


@dataclass(frozen=True, slots=True)
class Refund:
    """Money going back. Unique by ``(order, out_request_no)``.

    ``amount`` is what was asked for, or, while an external refund is ``unknown``, what is missing
    in the order's books; a proof makes it exact. ``out_request_no`` is ``None`` for a refund that
    Alipay's running total shows and that nobody has named yet.
    """

    id: int
    order_id: int
    merchant_id: int
    out_request_no: str | None
    origin: RefundOrigin
    status: RefundStatus
    amount: Money
    created_at: datetime
    updated_at: datetime
    reason: str | None = None
    operator_id: str | None = None
    terminal_id: str | None = None
    store_id: str | None = None
    shift_id: int | None = None
    requested_by: str | None = None
    approved_by: str | None = None
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
    destination: Destination | None = None
    bank_due_at: datetime | None = None
    bank_ask_count: int = 0
    royalty_parameters: tuple[Mapping[str, Any], ...] = ()
    settle_confirm_no: str | None = None
    """Of a direct-pay merchant's payment: by which request its settlement was confirmed before."""
    idempotency_key: str | None = None

    @property
    def waits_for_balance(self) -> bool:
        """Whether it is sent again once the seller's account has more money."""
        return self.status is RefundStatus.REQUESTED and self.last_code == NO_BALANCE_CODE

    @property
    def is_open(self) -> bool:
        """Whether its end is not known yet."""
        return self.status in (RefundStatus.REQUESTED, RefundStatus.UNKNOWN)

    @property
    def holds_reservation(self) -> bool:
        """Whether its amount is set aside on the order."""
        return self.origin is RefundOrigin.OURS and self.is_open


@dataclass(frozen=True, slots=True)
class NewRefund:
    """What a caller asks for. ``requested_by`` names who asks, for limits and for the books;
    ``approved_by`` the second person, if it has one; ``shift_id`` the shift at the till."""

    out_request_no: str
    amount: Money
    reason: str | None = None
    operator_id: str | None = None
    terminal_id: str | None = None
    store_id: str | None = None
    requested_by: str | None = None
    approved_by: str | None = None
    shift_id: int | None = None
    royalty_parameters: tuple[Mapping[str, Any], ...] = ()
    seller_covers: bool = False
    """The seller pays what receivers would have to give back."""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One outcome, with the words that came with it, and the fact if it proves the refund."""

    outcome: Outcome
    code: str | None = None
    message: str | None = None
    fact: RefundFact | None = None
    bank_status: str | None = None
    """``dback_status``, if the money goes to a bank card."""
