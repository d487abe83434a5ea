"""How a refund moves, and what is done about it next. Pure; sources: money.md §5.

`TRANSITIONS` has an entry for every (status, outcome); a test tries each. The one rule that must
never break: a "no" that follows an unknown outcome proves nothing, because the first call may
have moved the money; only a query, late enough, decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from daozhang.money import Money
from daozhang.service.refunds.model import Outcome, Refund, RefundOrigin, RefundStatus

SUCCEEDED_EVENT: Final = "refund.succeeded"
FAILED_EVENT: Final = "refund.failed"


class Follow(StrEnum):
    """What follows an outcome."""

    NOTHING = "nothing"
    CALL = "call"  # send the very same request (again)
    CALL_LATER = "call later"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Move:
    """A cell of the table. ``to`` is ``None`` where the status stays."""

    to: RefundStatus | None = None
    follow: Follow = Follow.NOTHING
    event: str | None = None
    surprise: str | None = None


_SUCCEEDS: Final = Move(RefundStatus.SUCCEEDED, event=SUCCEEDED_EVENT)
_FAILS: Final = Move(RefundStatus.FAILED, event=FAILED_EVENT)
_DOUBTED: Final = Move(RefundStatus.UNKNOWN, Follow.ASK)
_ASK: Final = Move(follow=Follow.ASK)
_KEEP: Final = Move()

TRANSITIONS: Final[Mapping[RefundStatus, Mapping[Outcome, Move]]] = {
    RefundStatus.REQUESTED: {
        Outcome.PROVEN: _SUCCEEDS,
        Outcome.REJECTED: _FAILS,
        Outcome.NO_BALANCE: Move(follow=Follow.CALL_LATER, surprise="refund_waits_for_balance"),
        Outcome.NO_RETURN: Move(
            RefundStatus.FAILED, event=FAILED_EVENT, surprise="receiver_cannot_return"
        ),
        Outcome.UNPROVEN: _DOUBTED,
        Outcome.UNKNOWN: _DOUBTED,
        Outcome.ABSENT: Move(follow=Follow.CALL),
    },
    RefundStatus.UNKNOWN: {
        Outcome.PROVEN: _SUCCEEDS,
        Outcome.REJECTED: _ASK,
        Outcome.NO_BALANCE: _ASK,
        Outcome.NO_RETURN: _ASK,
        Outcome.UNPROVEN: _ASK,
        Outcome.UNKNOWN: _ASK,
        Outcome.ABSENT: Move(RefundStatus.REQUESTED, Follow.CALL),
    },
    RefundStatus.SUCCEEDED: dict.fromkeys(Outcome, _KEEP),
    RefundStatus.FAILED: {
        **dict.fromkeys(Outcome, _KEEP),
        Outcome.PROVEN: Move(
            RefundStatus.SUCCEEDED, event=SUCCEEDED_EVENT, surprise="failed_refund_succeeded"
        ),
    },
}

ASK_DELAYS_SECONDS: Final = (10, 20, 40, 80, 160, 320, 640, 1800, 3600)
"""How long after an unknown outcome it is asked about, ever more rarely; the last one repeats."""

PROOF_SECONDS: Final = 10
"""How old a call must be before "no such refund" proves that it never arrived (apis.md §3.1)."""

BALANCE_DELAYS_SECONDS: Final = (60, 300, 900, 3600)
"""When a refund that waits for the seller's balance is sent again; the last one repeats."""

SPACING_SECONDS: Final = 3
"""What Alipay wants between two refunds of one trade (apis.md §3.1)."""

NAMING_SECONDS: Final = 60
"""How long a refund that only a running total shows waits for the notice that names it."""

ASKS_BEFORE_PERSON: Final = 8
"""After so many questions without an end, people are told; the asking goes on."""


class Action(StrEnum):
    """What an attempt does about a refund."""

    NOTHING = "nothing"
    WAIT = "wait"
    HOLD = "hold"  # the merchant's switch for outgoing money is off
    CALL = "call"
    ASK = "ask"
    DOUBT = "doubt"  # a call was begun and its outcome never recorded: the process died
    RECKON = "reckon"  # nobody has named it: the running total is all that is known


def next_action(
    refund: Refund,
    now: datetime,
    trade_called_at: datetime | None,
    *,
    outgoing_allowed: bool = True,
) -> tuple[Action, datetime | None]:
    """What to do about ``refund`` at ``now``; with `Action.WAIT`, until when.

    ``trade_called_at``: when a refund of the same trade, this one or another, was last sent.
    Where outgoing money is stopped nothing is sent; questions go on, since they only learn.
    """
    if not refund.is_open:
        return Action.NOTHING, None
    if refund.calling:
        return Action.DOUBT, None
    if refund.out_request_no is None:
        return Action.RECKON, None
    if refund.status is RefundStatus.REQUESTED and refund.origin is RefundOrigin.OURS:
        if not outgoing_allowed:
            return Action.HOLD, None
        free_at = _after(trade_called_at, SPACING_SECONDS)
        return (Action.CALL, None) if free_at is None or now >= free_at else (Action.WAIT, free_at)
    ripe_at = _after(refund.called_at, PROOF_SECONDS)
    return (Action.ASK, None) if ripe_at is None or now >= ripe_at else (Action.WAIT, ripe_at)


def _after(moment: datetime | None, seconds: int) -> datetime | None:
    return None if moment is None else moment + timedelta(seconds=seconds)


def move_for(refund: Refund, outcome: Outcome) -> Move:
    """What ``outcome`` does to ``refund``.

    What we never sent cannot be sent again: an external refund that a query does not find yet is
    asked about again.
    """
    move = TRANSITIONS[refund.status][outcome]
    sends = move.follow in (Follow.CALL, Follow.CALL_LATER)
    if sends and refund.origin is not RefundOrigin.OURS:
        return _ASK
    return move


def due_after(move: Move, refund: Refund, now: datetime) -> datetime | None:
    """When ``refund`` is worked on next after ``move``; ``None`` if it has reached its end."""
    match move.follow:
        case Follow.NOTHING:
            return None
        case Follow.CALL:
            return now
        case Follow.CALL_LATER:
            return now + _delay(BALANCE_DELAYS_SECONDS, refund.call_count - 1)
        case Follow.ASK:
            return now + _delay(ASK_DELAYS_SECONDS, refund.ask_count)


def _delay(ladder: Sequence[int], rung: int) -> timedelta:
    return timedelta(seconds=ladder[min(max(rung, 0), len(ladder) - 1)])


def person_is_due(refund: Refund) -> bool:
    """Whether this question is the one after which people are told that it stays unclear."""
    return refund.ask_count == ASKS_BEFORE_PERSON


def notice_proves(refund: Refund, cumulative: Money) -> bool:
    """Whether a notice that names ``refund`` and carries the running total proves it.

    The total includes the refund that it names; one that is smaller contradicts it, and then a
    query is asked instead.
    """
    return cumulative >= refund.amount


def missing(refunded: Money, proven: Money) -> Money:
    """What has gone back by Alipay's running total and is in no refund of our books."""
    return max(refunded - proven, Money.zero(refunded.currency), key=lambda money: money.minor)
