"""How a payment at the till moves, and when what is done next. Pure; sources: money.md §3, §5, apis.md §8.

The one rule that must never break: nothing is final here before the order is. A payment ends as paid,
cancelled or refunded only because the order's own table says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from daozhang.service.orders.model import Order, OrderStatus
from daozhang.service.till.model import BarcodePayment, CancelOutcome, Ending, Outcome, Phase, Word

CALL_LEASE_SECONDS: Final = 90
"""After this a call that was begun and never recorded is an unknown outcome: longer than any call."""

STEP_LEASE_SECONDS: Final = 120
"""After this a payment is due again whose step died unseen."""

ASK_DELAYS_SECONDS: Final = (3, 3, 4, 5)
"""When Alipay is asked, after the last time; the last one repeats (apis.md §8: every 3 to 6 s)."""

SOONEST: Final = timedelta(seconds=3)
RAREST: Final = timedelta(minutes=30)

AGAIN_SECONDS: Final = 120
"""How long a declined order waits for another code before it is cancelled."""

CANCEL_DELAYS_SECONDS: Final = (3, 5, 10, 20, 30, 60, 120, 300, 600)
"""When a cancel without a proof is asked about or made again; the last one repeats."""

CANCELS_BEFORE_PERSON: Final = 6
"""After so many cancels without a proof people are told; it goes on."""


@dataclass(frozen=True, slots=True)
class Move:
    """What an outcome of the call does: where the payment goes, and when it is worked on next."""

    to: Phase
    word: Word
    due_seconds: int | None


AFTER_CALL: Final[Mapping[Outcome, Move]] = {
    # Paid, and the order will not say so: a fact that does not fit. Asking goes on.
    Outcome.PAID: Move(Phase.ASKING, Word.PAID, ASK_DELAYS_SECONDS[0]),
    Outcome.BUYER_ACTS: Move(Phase.ASKING, Word.BUYER_ACTS, ASK_DELAYS_SECONDS[0]),
    Outcome.UNKNOWN: Move(Phase.ASKING, Word.NO_ANSWER, ASK_DELAYS_SECONDS[0]),
    Outcome.STATE: Move(Phase.ASKING, Word.DECLINED, 0),
    Outcome.TRY_AGAIN: Move(Phase.DECLINED, Word.DECLINED, AGAIN_SECONDS),
    Outcome.REFUSED: Move(Phase.CANCELLING, Word.REFUSED, 0),
}
"""By what the call has told, while the order is not final."""

AFTER_CANCEL: Final[Mapping[CancelOutcome, Word]] = {
    CancelOutcome.CLOSED: Word.CANCELLED,
    CancelOutcome.REFUNDED: Word.CANCEL_REFUNDED,
    CancelOutcome.NOTHING: Word.CANCEL_SAYS_NOTHING,
    CancelOutcome.REJECTED: Word.CANCEL_REFUSED,
    CancelOutcome.UNKNOWN: Word.CANCEL_UNKNOWN,
}

ENDINGS: Final[Mapping[OrderStatus, Ending]] = {
    OrderStatus.PAID: Ending.PAID,
    OrderStatus.FINISHED: Ending.PAID,
    OrderStatus.REFUNDED: Ending.REFUNDED,
    OrderStatus.CLOSED: Ending.CANCELLED,
}
"""By what the order is: all that is final."""


SALE: Final = "T"
"""What numbers of sales begin with that a person makes."""

_SALE_NUMBER: Final = re.compile(r"T[0-9]{8}[0-9A-Z]{10}", re.ASCII)


def is_sale_number(text: str) -> bool:
    """Whether ``text`` is a number as `ids.dated_number` makes it for a sale."""
    return _SALE_NUMBER.fullmatch(text) is not None


class Action(StrEnum):
    """What a step does about a payment."""

    NOTHING = "nothing"
    END = "end"  # the order is final
    DOUBT = "doubt"  # a call was begun and never recorded: the process died
    ASK = "ask"
    GIVE_UP = "give up"  # time is over, or nobody scanned again: it is cancelled from now on
    CANCEL = "cancel"


def next_action(payment: BarcodePayment, order: Order, now: datetime) -> Action:
    """What to do about ``payment`` at ``now``, given what its order is.

    Where a fact did not fit (``attention``) nothing is cancelled by itself: Alipay is asked, and a
    person decides (money.md §2).
    """
    if order.status in ENDINGS:
        return Action.NOTHING if payment.phase is Phase.ENDED else Action.END
    if order.attention and payment.phase is not Phase.ENDED:
        return Action.ASK
    # Once more at the end of the time: what was paid in the last second is seen.
    over = now >= payment.wait_until and payment.ask_count > 0
    return {
        Phase.CALLING: Action.DOUBT,
        Phase.ASKING: Action.GIVE_UP if over else Action.ASK,
        Phase.DECLINED: Action.GIVE_UP,
        Phase.CANCELLING: Action.CANCEL,
        Phase.ENDED: Action.NOTHING,
    }[payment.phase]


def due_after_asking(payment: BarcodePayment, now: datetime) -> datetime:
    """When a payment that stays open is asked about next: once more when its time is over; and one
    that a person has to look at ever more rarely, after a quarter of its age."""
    if now < payment.wait_until:
        return min(now + _delay(ASK_DELAYS_SECONDS, payment.ask_count), payment.wait_until)
    return now + min(max((now - payment.called_at) / 4, SOONEST), RAREST)


def due_after_cancelling(payment: BarcodePayment, now: datetime) -> datetime:
    """When a cancel that has proven nothing is made again."""
    return now + _delay(CANCEL_DELAYS_SECONDS, payment.cancel_count)


def person_is_due(payment: BarcodePayment) -> bool:
    """Whether this cancel without a proof is the one after which people are told."""
    return payment.cancel_count == CANCELS_BEFORE_PERSON


def may_scan_again(payment: BarcodePayment) -> bool:
    """Whether another code may be charged for the order after this one."""
    return payment.phase is Phase.DECLINED or payment.ending is Ending.NOT_SENT


def _delay(ladder: tuple[int, ...], rung: int) -> timedelta:
    return timedelta(seconds=ladder[min(max(rung, 0), len(ladder) - 1)])
