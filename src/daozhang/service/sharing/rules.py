"""How money is split, passed on and taken back. Pure; sources: money.md §5, apis.md §5.

`TRANSITIONS` has an entry for every (status, outcome); a test tries each. As with refunds, a "no" that
follows an unknown outcome proves nothing: only a query, late enough, decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

from daozhang.money import Money
from daozhang.service.sharing.model import (
    BASIS_POINTS,
    Detail,
    Outcome,
    Plan,
    ReturnOrder,
    RoundStatus,
    Share,
    ShareStatus,
    Split,
)

PERCENT: Final = 100

PERCENT_MAX_DEFAULT: Final = 30
"""How much of a payment may be passed on by most agreements (apis.md §5)."""

SHARES_MAX_SYNC: Final = 5
SHARES_MAX_ASYNC: Final = 50
"""How many shares Alipay takes in one call, at once and later."""


class CannotSplit(ValueError):
    """A plan asks for more than there is."""


# ---- splitting


def split(plan: Plan, amount: Money) -> Split:
    """``amount`` as ``plan`` splits it; it always adds up. Raises `CannotSplit`.

    All percents together are rounded down to the fen, and divided so that each part is within a fen of
    its own; who bears that fen says the plan, by default the largest remainders.
    """
    currency = amount.currency
    fixed = {part.account: part.amount for part in plan.parts if part.amount is not None}
    points = {p.account: p.basis_points for p in plan.parts if p.basis_points is not None}
    minor = {account: fen.minor for account, fen in fixed.items()}
    minor |= _by_points(points, amount.minor, plan.rounding)
    given = sum(minor.values())
    rest = next((part.account for part in plan.parts if part.is_remainder), None)
    pool = amount.minor * (plan.pool_basis_points or BASIS_POINTS) // BASIS_POINTS
    if given > pool:
        raise CannotSplit(f"the parts come to {Money(given, currency)} of {Money(pool, currency)}")
    if rest is not None:
        minor[rest] = pool - given
    shares = [(part.account, Money(minor[part.account], currency)) for part in plan.parts]
    kept = amount.minor - sum(minor.values())
    return Split(tuple((account, fen) for account, fen in shares if fen), Money(kept, currency))


def _by_points(points: Mapping[str, int], minor: int, rounding: str | None) -> dict[str, int]:
    exact = {account: divmod(minor * own, BASIS_POINTS) for account, own in points.items()}
    given = {account: whole for account, (whole, _) in exact.items()}
    left = minor * sum(points.values()) // BASIS_POINTS - sum(given.values())
    if rounding in given:
        given[rounding] += left
        return given
    # Of equal remainders the first in the plan: the same each time.
    for account in sorted(exact, key=lambda account: -exact[account][1])[:left]:
        given[account] += 1
    return given


def limit_of(amount: Money, percent_max: int) -> Money:
    """How much of a payment may be passed on by an agreement."""
    return Money(amount.minor * percent_max // PERCENT, amount.currency)


def to_points(percent: str) -> int:
    """A percentage, as text, in hundredths of a percent."""
    return int(Decimal(percent) * (BASIS_POINTS // 100))


def percent_text(points: int) -> str:
    """Hundredths of a percent as a percentage: ``12.5``."""
    whole, part = divmod(points, BASIS_POINTS // 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".")


# ---- taking back


def returns_for(
    refund: Money, remainder: Money, total_left: Money, shares: Sequence[Share], order: ReturnOrder
) -> list[tuple[Share, Money]] | None:
    """Who gives back how much with a refund; ``None`` if all of them together have too little.

    ``remainder`` is what the seller has left of the payment, ``total_left`` what has not been refunded
    of it. Never more than was shared and has not come back, and never less than the seller lacks.
    """
    held = [(share, share.outstanding) for share in shares if share.outstanding.minor > 0]
    needed = max((refund - remainder).minor, 0)
    if needed > sum(fen.minor for _, fen in held):
        return None
    wanted = needed
    if order is ReturnOrder.RECEIVERS_FIRST:
        wanted = min(refund.minor, sum(fen.minor for _, fen in held))
    elif order is ReturnOrder.PRO_RATA and total_left.minor:
        parts = {s.id: fen.minor * refund.minor // total_left.minor for s, fen in held}
        if sum(parts.values()) >= needed:
            return _returned(held, parts, refund.currency)
        return _returned(held, _topped_up(held, parts, needed), refund.currency)
    return _returned(held, _topped_up(held, {}, wanted), refund.currency)


def _topped_up(
    held: Sequence[tuple[Share, Money]], parts: Mapping[int, int], wanted: int
) -> dict[int, int]:
    """``parts``, and more of each share in turn until they come to ``wanted``."""
    filled = {share.id: parts.get(share.id, 0) for share, _ in held}
    for share, fen in held:
        more = min(wanted - sum(filled.values()), fen.minor - filled[share.id])
        filled[share.id] += max(more, 0)
    return filled


def _returned(
    held: Sequence[tuple[Share, Money]], parts: Mapping[int, int], currency: str
) -> list[tuple[Share, Money]]:
    return [(s, Money(parts[s.id], currency)) for s, _ in held if parts.get(s.id)]


# ---- how a round moves


class Follow(StrEnum):
    """What follows an outcome."""

    NOTHING = "nothing"
    CALL = "call"  # send the very same request (again)
    CALL_LATER = "call later"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Move:
    """A cell of the table. ``to`` is ``None`` where the status stays."""

    to: RoundStatus | None = None
    follow: Follow = Follow.NOTHING
    surprise: str | None = None


_DONE: Final = Move(RoundStatus.DONE)
_ASK: Final = Move(follow=Follow.ASK)
_KEEP: Final = Move()
_ACCEPTED: Final = Move(RoundStatus.ACCEPTED, Follow.ASK)

TRANSITIONS: Final[Mapping[RoundStatus, Mapping[Outcome, Move]]] = {
    RoundStatus.REQUESTED: {
        Outcome.PROVEN: _DONE,
        Outcome.ACCEPTED: _ACCEPTED,
        Outcome.REJECTED: Move(RoundStatus.FAILED),
        Outcome.NO_BALANCE: Move(follow=Follow.CALL_LATER, surprise="share_waits_for_balance"),
        Outcome.UNKNOWN: Move(RoundStatus.UNKNOWN, Follow.ASK),
        Outcome.ABSENT: Move(follow=Follow.CALL),
    },
    RoundStatus.UNKNOWN: {
        Outcome.PROVEN: _DONE,
        Outcome.ACCEPTED: _ACCEPTED,
        Outcome.REJECTED: _ASK,
        Outcome.NO_BALANCE: _ASK,
        Outcome.UNKNOWN: _ASK,
        Outcome.ABSENT: Move(RoundStatus.REQUESTED, Follow.CALL),
    },
    RoundStatus.ACCEPTED: {**dict.fromkeys(Outcome, _ASK), Outcome.PROVEN: _DONE},
    RoundStatus.DONE: dict.fromkeys(Outcome, _KEEP),
    RoundStatus.FAILED: {
        **dict.fromkeys(Outcome, _KEEP),
        Outcome.PROVEN: Move(RoundStatus.DONE, surprise="failed_share_succeeded"),
    },
}

ASK_DELAYS_SECONDS: Final = (10, 20, 40, 80, 160, 320, 640, 1800, 3600)
"""How long after an outcome that is not final it is asked about, ever more rarely; the last one repeats."""

PROOF_SECONDS: Final = 10
"""How old a call must be before "no such request" proves that it never arrived."""

BALANCE_DELAYS_SECONDS: Final = (60, 300, 900, 3600)
"""When a round that waits for the seller's balance is sent again; the last one repeats."""

SPACING_SECONDS: Final = 1
"""Between two calls about one trade: Alipay takes 30 a second of one seller (apis.md §5)."""

ASKS_BEFORE_PERSON: Final = 8
"""After so many questions without an end, people are told; the asking goes on."""


class Action(StrEnum):
    """What an attempt does about a round."""

    NOTHING = "nothing"
    WAIT = "wait"
    HOLD = "hold"  # the merchant's switch for outgoing money is off
    CALL = "call"
    ASK = "ask"
    DOUBT = "doubt"  # a call was begun and its outcome never recorded: the process died


class Sent(Protocol):
    """A request as its row stands: a round, or another that is sent and asked about as one is."""

    @property
    def is_open(self) -> bool: ...
    @property
    def is_requested(self) -> bool: ...
    @property
    def calling(self) -> bool: ...
    @property
    def called_at(self) -> datetime | None: ...
    @property
    def call_count(self) -> int: ...
    @property
    def ask_count(self) -> int: ...


def next_action(
    sent: Sent, now: datetime, *, outgoing_allowed: bool = True
) -> tuple[Action, datetime | None]:
    """What to do about a request at ``now``; with `Action.WAIT`, until when.

    Where outgoing money is stopped nothing is sent; questions go on, since they only learn.
    """
    if not sent.is_open:
        return Action.NOTHING, None
    if sent.calling:
        return Action.DOUBT, None
    if sent.is_requested:
        return (Action.CALL, None) if outgoing_allowed else (Action.HOLD, None)
    ripe_at = sent.called_at and sent.called_at + timedelta(seconds=PROOF_SECONDS)
    return (Action.ASK, None) if ripe_at is None or now >= ripe_at else (Action.WAIT, ripe_at)


def due_after(follow: Follow, sent: Sent, now: datetime) -> datetime | None:
    """When a request is worked on next if that follows; ``None`` if it has reached its end."""
    match follow:
        case Follow.NOTHING:
            return None
        case Follow.CALL:
            return now
        case Follow.CALL_LATER:
            return now + _delay(BALANCE_DELAYS_SECONDS, sent.call_count - 1)
        case Follow.ASK:
            return now + ask_delay(sent.ask_count)


def ask_delay(asked: int) -> timedelta:
    """After how long it is asked again, after so many questions."""
    return _delay(ASK_DELAYS_SECONDS, asked)


def _delay(ladder: Sequence[int], rung: int) -> timedelta:
    return timedelta(seconds=ladder[min(max(rung, 0), len(ladder) - 1)])


def person_is_due(sent: Sent) -> bool:
    """Whether this question is the one after which people are told that it stays unclear."""
    return sent.ask_count == ASKS_BEFORE_PERSON


# ---- what is told of the shares

_STRENGTH: Final = (ShareStatus.PENDING, ShareStatus.FAILED, ShareStatus.SUCCEEDED)


def stronger(known: ShareStatus, told: ShareStatus) -> ShareStatus:
    """Where a share stands once it was told of: the same in whatever order it is told."""
    return max(known, told, key=_STRENGTH.index)


def matched(shares: Sequence[Share], details: Sequence[Detail]) -> list[tuple[Share, Detail]]:
    """Which share each detail speaks of: by the account, as it is or masked, then by the amount where
    only one share has it. What cannot be told apart stays open, and is asked about."""
    left, pairs = list(shares), list[tuple[Share, Detail]]()
    waiting = list(details)
    for fits in (_same_account, _masked_account):
        for detail in list(waiting):
            found = [share for share in left if fits(share, detail)]
            if len(found) == 1:
                pairs.append((found[0], detail))
                left.remove(found[0])
                waiting.remove(detail)
    for detail in waiting:
        found = [share for share in left if share.amount == detail.amount]
        twins = [other for other in waiting if other.amount == detail.amount]
        if len(found) == 1 and len(twins) == 1:
            pairs.append((found[0], detail))
            left.remove(found[0])
    return pairs


def _same_account(share: Share, detail: Detail) -> bool:
    return share.account == detail.account and detail.amount in (None, share.amount)


def _masked_account(share: Share, detail: Detail) -> bool:
    head, star, rest = detail.account.partition("*")
    tail = rest.lstrip("*")
    fits = share.account.startswith(head) and share.account.endswith(tail)
    return bool(star) and fits and detail.amount in (None, share.amount)


def take_details(shares: Sequence[Share], details: Sequence[Detail]) -> tuple[list[Share], Outcome]:
    """The shares that moved, and what that says of their round."""
    told = {share.id: detail for share, detail in matched(shares, details)}
    after = [
        share
        if share.id not in told
        else replace(
            share,
            status=stronger(share.status, told[share.id].status),
            last_code=told[share.id].code or share.last_code,
            last_message=told[share.id].message or share.last_message,
            detail_id=told[share.id].detail_id or share.detail_id,
        )
        for share in shares
    ]
    before = {share.id: share.status for share in shares}
    moved = [share for share in after if share.status is not before[share.id]]
    ended = all(share.status is not ShareStatus.PENDING for share in after)
    return moved, Outcome.PROVEN if ended else Outcome.ACCEPTED
