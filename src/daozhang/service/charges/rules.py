"""How a charge moves, and when what is done next. Pure; sources: money.md §3, §5, apis.md §8, §14.

Nothing is final here before the order is. The number of the order makes the call idempotent: it may be
made again, and charges once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from daozhang.service.charges.model import (
    JOURNAL_ENTRIES_MAX,
    Answer,
    Charge,
    Ending,
    Outcome,
    Phase,
    Word,
)
from daozhang.service.orders.model import FactKind, Order, OrderStatus

PROOF_SECONDS: Final = 10
"""How long after a call whose outcome is unknown a question proves anything (money.md §5)."""

STEP_LEASE_SECONDS: Final = 120
"""After this a charge is due again whose step died unseen: longer than any call."""

ASK_DELAYS_SECONDS: Final = (10, 10, 15, 30, 60, 120, 300, 600)
"""When Alipay is asked, after the last time; the last one repeats until the order is final."""

NOT_SENT_SECONDS: Final = 60
"""When a call is tried again that our own configuration forbade."""

STATE_CODES: Final = frozenset(
    {
        "ACQ.TRADE_HAS_SUCCESS",
        "ACQ.TRADE_HAS_CLOSE",
        "ACQ.TRADE_STATUS_ERROR",
        "ACQ.CONTEXT_INCONSISTENT",
    }
)
"""What a number answers that has a trade already: a query tells whose, and how it stands."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where an outcome leads, and when the charge is worked on next."""

    to: Phase
    due_seconds: int


_ASKED: Final = Move(Phase.ASKING, ASK_DELAYS_SECONDS[0])

AFTER_CALL: Final[Mapping[Outcome, Move]] = {
    # Paid, and the order will not say so: a fact that does not fit. Asking goes on.
    Outcome.PAID: _ASKED,
    Outcome.BUYER_ACTS: _ASKED,
    Outcome.UNKNOWN: _ASKED,
    Outcome.STATE: Move(Phase.ASKING, 0),
    Outcome.REFUSED: Move(Phase.REFUSED, PROOF_SECONDS),
    Outcome.NOT_SENT: Move(Phase.DUE, NOT_SENT_SECONDS),
}
"""By what the first call has told, while the order is not final."""

ENDINGS: Final[Mapping[OrderStatus, Ending]] = {
    OrderStatus.PAID: Ending.PAID,
    OrderStatus.FINISHED: Ending.PAID,
    OrderStatus.REFUNDED: Ending.REFUNDED,
    OrderStatus.CLOSED: Ending.CLOSED,
}
"""By what the order is: all that is final."""


def after_call(charge: Charge, answer: Answer) -> Move:
    """Where an answer leads. A no after an outcome that nobody knows is still unknown: the first call
    may have moved the money (money.md §5)."""
    doubted = charge.call_count > 1
    if doubted and answer.outcome in (Outcome.REFUSED, Outcome.NOT_SENT):
        return _ASKED
    return AFTER_CALL[answer.outcome]


WORDS: Final[Mapping[Outcome, Word]] = {
    Outcome.PAID: Word.PAID,
    Outcome.BUYER_ACTS: Word.BUYER_ACTS,
    Outcome.UNKNOWN: Word.NO_ANSWER,
    Outcome.STATE: Word.STATE,
    Outcome.REFUSED: Word.REFUSED,
    Outcome.NOT_SENT: Word.NOT_SENT,
}
"""What the journal says of a call, by what it has told."""


def note(charge: Charge, word: Word, now: datetime, code: str | None = None) -> list[Any]:
    """The charge's journal with one entry more; the same again is not noted, nor what is too much."""
    journal = list(charge.journal)
    entry = {"at": now.isoformat(), "word": word.value, "code": code}
    last: Mapping[str, Any] = journal[-1] if journal else {}
    again = word is not Word.CALLED and (last.get("word"), last.get("code")) == (word.value, code)
    full = len(journal) >= JOURNAL_ENTRIES_MAX and word is not Word.ENDED
    return journal if again or full else [*journal, entry]


class Action(StrEnum):
    """What a step does about a charge."""

    NOTHING = "nothing"
    END = "end"  # the order is final
    DOUBT = "doubt"  # a call was begun and never recorded: the process died
    CALL = "call"
    ASK = "ask"
    CLOSE = "close"  # refused: close the trade, should there be one, and confirm


def next_action(charge: Charge, order: Order, now: datetime) -> Action:
    """What to do about ``charge`` at ``now``, given what its order is.

    Where a fact did not fit (``attention``), or its time is over, nothing is charged any more: Alipay
    is asked.
    """
    if charge.phase is Phase.ENDED:
        return Action.NOTHING
    if order.status in ENDINGS:
        return Action.END
    may_call = not order.attention and order.status is not OrderStatus.CLOSING
    over = now >= order.expires_at
    return {
        Phase.DUE: Action.CALL if may_call and not over else Action.ASK,
        Phase.CALLING: Action.DOUBT,
        Phase.ASKING: Action.ASK,
        Phase.REFUSED: Action.ASK if order.attention else Action.CLOSE,
    }[charge.phase]


class Follow(StrEnum):
    """What an answer about the trade of an open charge leads to."""

    GO_ON = "go on"
    CALL_AGAIN = "call again"
    GIVE_UP = "give up"


def follow_of(charge: Charge, order: Order, kind: FactKind | None, now: datetime) -> Follow:
    """What follows when Alipay has told ``kind`` of a charge that is being asked about.

    No trade, long enough after the last call: that call has not come to anything. After a no the charge
    is given up, after no answer the same number is sent again while the order may be paid.
    """
    if kind is not FactKind.ABSENT or order.attention or order.status is OrderStatus.CLOSING:
        return Follow.GO_ON
    called_at = charge.called_at
    if called_at is not None and now < called_at + timedelta(seconds=PROOF_SECONDS):
        return Follow.GO_ON
    if charge.last_outcome is Outcome.REFUSED:
        return Follow.GIVE_UP
    return Follow.GO_ON if now >= order.expires_at else Follow.CALL_AGAIN


def due_after_asking(charge: Charge, now: datetime) -> datetime:
    """When a charge that stays open is asked about next."""
    rung = min(charge.ask_count, len(ASK_DELAYS_SECONDS) - 1)
    return now + timedelta(seconds=ASK_DELAYS_SECONDS[rung])
