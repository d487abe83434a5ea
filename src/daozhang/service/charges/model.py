"""What a charge is: one order that is paid by a call of ours, to its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class ChargeKind(StrEnum):
    """What is charged."""

    HOLD = "hold"
    AGREEMENT = "agreement"


class Phase(StrEnum):
    """Where a charge stands."""

    DUE = "due"  # committed here; nothing has been sent
    CALLING = "calling"  # the call is being made, or its process died
    ASKING = "asking"  # nobody knows, or the buyer has to act: Alipay is asked
    REFUSED = "refused"  # a definite no; its order closes, and that is confirmed
    ENDED = "ended"


class Ending(StrEnum):
    """How it ended: what its order has become."""

    PAID = "paid"
    CLOSED = "closed"
    REFUNDED = "refunded"


class Outcome(StrEnum):
    """What one call has told."""

    PAID = "paid"
    BUYER_ACTS = "buyer acts"  # 10003: the trade is open and waits
    UNKNOWN = "unknown"
    REFUSED = "refused"
    STATE = "state"  # a no that speaks of the trade's own state: only a query tells
    NOT_SENT = "not sent"  # our own configuration forbade it: nothing left this house


class Word(StrEnum):
    """What is noted in the journal of a charge, for the story."""

    CALLED = "called"
    PAID = "paid"
    BUYER_ACTS = "buyer_acts"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    STATE = "state"
    NOT_SENT = "not_sent"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    ASKED = "asked"
    ASKED_IN_VAIN = "asked_in_vain"
    CLOSES = "closes"
    ENDED = "ended"


JOURNAL_ENTRIES_MAX = 60
"""A charge that goes on for hours is told by its beginning; what decides is in the order's steps."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One outcome with the words that came with it."""

    outcome: Outcome
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """One order that is paid by a call of ours.

    ``instrument`` are the parameters of the call that say what is charged: ``auth_no`` and the like.
    ``owner_id`` is the row of the hold or the agreement.
    """

    id: int
    order_id: int
    merchant_id: int
    kind: ChargeKind
    owner_id: int
    instrument: Mapping[str, Any]
    phase: Phase
    created_at: datetime
    updated_at: datetime
    ending: Ending | None = None
    last_outcome: Outcome | None = None
    last_code: str | None = None
    last_message: str | None = None
    called_at: datetime | None = None
    call_count: int = 0
    ask_count: int = 0
    attempt: int = 0
    due_at: datetime | None = None
    ended_at: datetime | None = None
    journal: tuple[Mapping[str, Any], ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it may still be that money moves by it."""
        return self.phase is not Phase.ENDED
