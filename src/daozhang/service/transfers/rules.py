"""How a transfer moves, and what is done about it next. Pure; sources: money.md §5, apis.md §6.

`TRANSITIONS` has an entry for every (status, outcome); a test tries each. The one rule that must never
break: a "no" that follows an unknown outcome proves nothing, because the first call may have moved the
money; only a query, late enough, decides. And whatever happens, the number stays the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from daozhang.clock import BEIJING
from daozhang.money import Money
from daozhang.service.transfers.events import FAILED, RETURNED, SUCCEEDED
from daozhang.service.transfers.model import (
    MONTH_LIMIT_CODES,
    NUMBER_CHARACTERS_MAX,
    Answer,
    Outcome,
    Transfer,
    TransferLimits,
    TransferStatus,
)

_AGAIN: Final = re.compile(r"(.+)-r([2-9]|[1-9][0-9]{1,3})", re.ASCII)


def number_again(out_biz_no: str) -> str:
    """The number under which what failed or came back is sent once more: always the same one, so that two people who
    do it, or one who does it twice, send once. ``T1`` is followed by ``T1-r2``, that by ``T1-r3``."""
    found = _AGAIN.fullmatch(out_biz_no)
    base, number = (found[1], int(found[2]) + 1) if found else (out_biz_no, 2)
    again = f"{base}-r{number}"
    if len(again) <= NUMBER_CHARACTERS_MAX:
        return again
    # Another base of its own: cut off, two long numbers could become one.
    return f"{hashlib.sha256(base.encode()).hexdigest()[:32]}-r{number}"


class Follow(StrEnum):
    """What follows an outcome."""

    NOTHING = "nothing"
    CALL = "call"  # send the very same request (again)
    CALL_LATER = "call later"
    CALL_NEXT_DAY = "call on the next day or in the next month"
    ASK = "ask"
    WATCH = "watch"  # a bank may still send it back


@dataclass(frozen=True, slots=True)
class Move:
    """A cell of the table. ``to`` is ``None`` where the status stays."""

    to: TransferStatus | None = None
    follow: Follow = Follow.NOTHING
    event: str | None = None
    surprise: str | None = None


_KEEP: Final = Move()
_ASK: Final = Move(follow=Follow.ASK)
_SUCCEEDS: Final = Move(TransferStatus.SUCCEEDED, Follow.WATCH, SUCCEEDED)
_DEALS: Final = Move(TransferStatus.DEALING, Follow.ASK)
_FAILS: Final = Move(TransferStatus.FAILED, event=FAILED)
_RETURNS: Final = Move(TransferStatus.RETURNED, event=RETURNED, surprise="transfer_returned")
_TOLD: Final = {
    Outcome.SUCCEEDED: _SUCCEEDS,
    Outcome.DEALING: _DEALS,
    Outcome.RETURNED: _RETURNS,
    Outcome.REFUSED: _FAILS,
}
"""What Alipay says of the transfer itself decides, whatever was known before."""

_NOT_SENT: Final = Move(surprise="transfer_not_sent_here")

TRANSITIONS: Final[Mapping[TransferStatus, Mapping[Outcome, Move]]] = {
    TransferStatus.AWAITING_APPROVAL: {
        **dict.fromkeys(Outcome, _KEEP),
        Outcome.SUCCEEDED: _NOT_SENT,
        Outcome.DEALING: _NOT_SENT,
        Outcome.RETURNED: _NOT_SENT,
    },
    TransferStatus.REQUESTED: {
        **_TOLD,
        Outcome.REJECTED: _FAILS,
        Outcome.NO_BALANCE: Move(follow=Follow.CALL_LATER, surprise="transfer_waits_for_balance"),
        Outcome.LIMIT: Move(follow=Follow.CALL_NEXT_DAY, surprise="transfer_waits_for_limit"),
        Outcome.UNKNOWN: Move(TransferStatus.UNKNOWN, Follow.ASK),
        Outcome.ABSENT: Move(follow=Follow.CALL),
    },
    TransferStatus.UNKNOWN: {
        **_TOLD,
        Outcome.REJECTED: _ASK,
        Outcome.NO_BALANCE: _ASK,
        Outcome.LIMIT: _ASK,
        Outcome.UNKNOWN: _ASK,
        Outcome.ABSENT: Move(TransferStatus.REQUESTED, Follow.CALL),
    },
    TransferStatus.DEALING: {
        **_TOLD,
        Outcome.DEALING: _ASK,
        Outcome.REJECTED: _ASK,
        Outcome.NO_BALANCE: _ASK,
        Outcome.LIMIT: _ASK,
        Outcome.UNKNOWN: _ASK,
        Outcome.ABSENT: Move(follow=Follow.ASK, surprise="dealing_transfer_absent"),
    },
    TransferStatus.SUCCEEDED: {
        **dict.fromkeys(Outcome, Move(follow=Follow.WATCH)),
        Outcome.RETURNED: _RETURNS,
        Outcome.REFUSED: Move(surprise="succeeded_transfer_failed"),
        Outcome.ABSENT: Move(surprise="succeeded_transfer_absent"),
    },
    TransferStatus.FAILED: {
        **dict.fromkeys(Outcome, _KEEP),
        Outcome.SUCCEEDED: replace(_SUCCEEDS, surprise="failed_transfer_succeeded"),
        Outcome.RETURNED: _RETURNS,
        # An answer that was on its way while it failed, or it lives after all: the next one tells.
        Outcome.DEALING: _ASK,
    },
    TransferStatus.RETURNED: dict.fromkeys(Outcome, _KEEP),
}

ASK_DELAYS_SECONDS: Final = (10, 20, 40, 80, 160, 320, 640, 1800, 3600)
"""How long after an unknown outcome it is asked about, ever more rarely; the last one repeats."""

DEALING_DELAYS_SECONDS: Final = (60, 300, 900, 1800, 3600, 7200)
"""When a transfer that a bank considers is asked about; the last one repeats."""

PROOF_SECONDS: Final = 10
"""How old a call must be before "no such transfer" proves that it never arrived (money.md §5)."""

BALANCE_DELAYS_SECONDS: Final = (60, 300, 900, 3600)
"""When a transfer that waits for the balance is sent again; the last one repeats."""

AFTER_MIDNIGHT_SECONDS: Final = 300
"""How long after midnight in Beijing a transfer that waits for a limit is sent again."""

WATCH_AFTER_DAYS: Final = (1, 2, 3, 5, 7, 15)
"""When a transfer to a card that has succeeded is asked about: the message that tells that a bank sent
it back may be lost. After the last time it stays as it is."""

ASKS_BEFORE_PERSON: Final = 8
"""After so many questions without an end people are told; the asking goes on."""

BANK_DAYS: Final = 3
"""So long a bank may consider a transfer before people are told. How long banks take is unverified."""

STEP_LEASE_SECONDS: Final = 120
"""After this a transfer is due again whose step died unseen: longer than any call."""


class Action(StrEnum):
    """What a step does about a transfer."""

    NOTHING = "nothing"
    WAIT = "wait"
    HOLD = "hold"  # the merchant's switch for outgoing money is off
    CALL = "call"
    ASK = "ask"
    DOUBT = "doubt"  # a call was begun and its outcome never recorded: the process died


def next_action(
    transfer: Transfer, now: datetime, *, outgoing_allowed: bool
) -> tuple[Action, datetime | None]:
    """What to do about ``transfer`` at ``now``; with `Action.WAIT`, until when.

    Where outgoing money is stopped nothing is sent; questions go on, since they only learn.
    """
    if transfer.status in (TransferStatus.AWAITING_APPROVAL, TransferStatus.RETURNED):
        return Action.NOTHING, None
    if transfer.calling:
        return Action.DOUBT, None
    if transfer.status is TransferStatus.REQUESTED:
        return (Action.CALL if outgoing_allowed else Action.HOLD), None
    if transfer.status is TransferStatus.UNKNOWN and transfer.called_at is not None:
        ripe_at = transfer.called_at + timedelta(seconds=PROOF_SECONDS)
        if now < ripe_at:
            return Action.WAIT, ripe_at
    return Action.ASK, None


def move_for(transfer: Transfer, answer: Answer) -> Move:
    """What ``answer`` does to ``transfer``. One about another amount moves nothing: a person looks."""
    if answer.amount is not None and answer.amount != transfer.amount:
        return Move(follow=Follow.ASK, surprise="transfer_amount_differs")
    return TRANSITIONS[transfer.status][answer.outcome]


def due_after(move: Move, transfer: Transfer, answer: Answer, now: datetime) -> datetime | None:
    """When ``transfer`` is worked on next after ``move``; ``None`` if there is nothing left to do."""
    match move.follow:
        case Follow.NOTHING:
            return None
        case Follow.CALL:
            return now
        case Follow.CALL_LATER:
            return now + _delay(BALANCE_DELAYS_SECONDS, transfer.call_count - 1)
        case Follow.CALL_NEXT_DAY:
            return limit_ends_at(answer.code, now)
        case Follow.ASK:
            status = move.to or transfer.status
            dealing = status is TransferStatus.DEALING
            delays = DEALING_DELAYS_SECONDS if dealing else ASK_DELAYS_SECONDS
            return now + _delay(delays, transfer.ask_count)
        case Follow.WATCH:
            return _watch_at(transfer, transfer.paid_at or answer.paid_at or now, now)


def _watch_at(transfer: Transfer, paid_at: datetime, now: datetime) -> datetime | None:
    """The next of the days after it was paid, however often somebody has had it asked about between them."""
    if not transfer.to_card:
        return None
    moments = (paid_at + timedelta(days=days) for days in WATCH_AFTER_DAYS)
    return next((at for at in moments if at > now), None)


def limit_ends_at(code: str | None, now: datetime) -> datetime:
    """When a limit of the day or, by its code, of the month no longer holds a transfer back."""
    midnight = beijing_midnight(now)
    day = midnight + timedelta(days=1)
    if code in MONTH_LIMIT_CODES:
        day = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day + timedelta(seconds=AFTER_MIDNIGHT_SECONDS)


def beijing_midnight(now: datetime) -> datetime:
    """When the day of business began."""
    return now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)


def _delay(ladder: Sequence[int], rung: int) -> timedelta:
    return timedelta(seconds=ladder[min(max(rung, 0), len(ladder) - 1)])


def person_is_due(transfer: Transfer) -> bool:
    """Whether this question is the one after which people are told that it stays unclear. Banks may
    take days: `bank_is_late`."""
    return transfer.status is TransferStatus.UNKNOWN and transfer.ask_count == ASKS_BEFORE_PERSON


def bank_is_late(before: Transfer, after: Transfer, now: datetime) -> bool:
    """Whether it is known for the first time now that a bank has considered a transfer for days.

    ``before`` is how it stood when it was last asked about, ``after`` how it stands now.
    """
    if after.status is not TransferStatus.DEALING or after.called_at is None:
        return False
    late_at = after.called_at + timedelta(days=BANK_DAYS)
    return before.updated_at < late_at <= now


def has_left(transfer: Transfer, move: Move, answer: Answer) -> tuple[bool, bool]:
    """Whether, by what ``answer`` tells, money has left the account, and whether it has come back.

    Alipay takes what goes to a card at once, and gives it back if the bank does not take it.
    """
    fails_at_bank = answer.outcome is Outcome.REFUSED and transfer.to_card
    came_back = answer.outcome is Outcome.RETURNED or fails_at_bank
    left = came_back or answer.outcome in (Outcome.SUCCEEDED, Outcome.DEALING)
    moves = move.to is not None
    return left and moves, came_back and moves


class LimitBroken(StrEnum):
    """Which of a merchant's own limits a transfer would break."""

    SINGLE = "single"
    DAY = "day"


def broken_limit(
    limits: TransferLimits, amount: Money, sent_today: Money
) -> tuple[LimitBroken, Money] | None:
    """The limit that ``amount`` would break after ``sent_today``, if one."""
    if limits.single_max is not None and amount > limits.single_max:
        return LimitBroken.SINGLE, limits.single_max
    if limits.day_max is not None and sent_today + amount > limits.day_max:
        return LimitBroken.DAY, limits.day_max
    return None


def takes_second_person(limits: TransferLimits, amount: Money, alone_today: Money) -> bool:
    """Whether ``amount`` takes two people, after what its requester sent ``alone_today``."""
    single, day = limits.second_person_single, limits.second_person_day
    if single is not None and amount > single:
        return True
    return day is not None and alone_today + amount > day
