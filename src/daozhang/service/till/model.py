"""What a payment at the till is: one code that was scanned for an order, to its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Phase(StrEnum):
    """Where one scanned code stands."""

    CALLING = "calling"  # committed here; the call is being made, or its process died
    ASKING = "asking"  # the buyer has to confirm, or nobody knows: Alipay is asked
    DECLINED = "declined"  # a definite no after which the same order can be charged again
    CANCELLING = "cancelling"  # given up: cancelled at Alipay, until that is proven
    ENDED = "ended"


class Ending(StrEnum):
    """How it ended."""

    PAID = "paid"
    DECLINED = "declined"  # not paid by this code; another one was scanned since
    CANCELLED = "cancelled"  # the order is closed, nobody was charged
    REFUNDED = "refunded"  # the buyer was charged and has the money back
    NOT_SENT = "not_sent"  # our own configuration forbade it: nothing left this house


class Outcome(StrEnum):
    """What the one call of `alipay.trade.pay` has told."""

    PAID = "paid"
    BUYER_ACTS = "buyer acts"  # 10003: the phone asks for the password
    UNKNOWN = "unknown"  # timeout, 20000, an answer that cannot be believed, a process that died
    TRY_AGAIN = "try again"  # a definite no that another code may turn into a yes
    REFUSED = "refused"  # a definite no that nothing changes
    STATE = "state"  # a no that speaks of the trade's own state: only a query tells


class CancelOutcome(StrEnum):
    """What one call of `alipay.trade.cancel` has told."""

    CLOSED = "closed"  # it was unpaid
    REFUNDED = "refunded"  # it was paid, and the money went back
    NOTHING = "nothing"  # accepted, and nothing said of what was done: no trade, or again
    REJECTED = "rejected"  # a definite no to this call; says nothing of an earlier one
    UNKNOWN = "unknown"


class Word(StrEnum):
    """What is noted in the journal of a payment, for the story."""

    SCANNED = "scanned"
    PAID = "paid"
    BUYER_ACTS = "buyer_acts"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"
    NOT_SENT = "not_sent"
    ASKED = "asked"
    ASKED_IN_VAIN = "asked_in_vain"
    TIME_OVER = "time_over"
    CASHIER_CANCELS = "cashier_cancels"
    NOT_TRIED_AGAIN = "not_tried_again"
    ANOTHER_CODE = "another_code"
    CANCELLED = "cancelled"
    CANCEL_REFUNDED = "cancel_refunded"
    CANCEL_SAYS_NOTHING = "cancel_says_nothing"
    CANCEL_REFUSED = "cancel_refused"
    CANCEL_UNKNOWN = "cancel_unknown"
    PERSON_ASKED = "person_asked"
    CONFIRMED = "confirmed"


JOURNAL_ENTRIES_MAX = 60
"""A payment that goes on for hours is told by its beginning; what decides is in the order's steps."""


@dataclass(frozen=True, slots=True)
class BarcodePayment:
    """One code that was scanned for an order. The code itself is never kept: it is used once, by the
    call that is made when it is scanned."""

    id: int
    order_id: int
    merchant_id: int
    number: int
    phase: Phase
    code_hash: str
    scene: str
    called_at: datetime
    wait_until: datetime
    created_at: datetime
    updated_at: datetime
    ending: Ending | None = None
    operator_id: str | None = None
    terminal_id: str | None = None
    store_id: str | None = None
    buyer_acts: bool = False
    ask_count: int = 0
    cancel_count: int = 0
    attempt: int = 0
    last_code: str | None = None
    last_message: str | None = None
    due_at: datetime | None = None
    ended_at: datetime | None = None
    journal: tuple[Mapping[str, Any], ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it may still be that money moves by this code."""
        return self.phase in (Phase.CALLING, Phase.ASKING, Phase.CANCELLING)


@dataclass(frozen=True, slots=True)
class Scan:
    """A code as the till sends it, and who was there."""

    auth_code: str
    scene: str
    operator_id: str | None = None
    terminal_id: str | None = None
    store_id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One outcome with the words that came with it."""

    outcome: Outcome
    code: str | None = None
    message: str | None = None
