"""How a hold and a release move: tables as data, and the decisions around them. Pure.

Sources: apis.md §14.1 for what Alipay does; money.md §3 and §5 by analogy with orders and refunds. The
diagram in the documentation is generated from `TABLE`, and a test tries every cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from daozhang.money import Money
from daozhang.service.holds.events import AUTHORIZED, AUTHORIZED_LATE, CLOSED, FINISHED
from daozhang.service.holds.model import (
    Balance,
    Hold,
    HoldFact,
    HoldFactKind,
    HoldStatus,
    Release,
    ReleaseStatus,
)

NOTHING: Final = Money(0)


class Follow(StrEnum):
    """What is done next about a hold, beside announcing."""

    NOTHING = "nothing"
    ASK = "ask"
    CANCEL = "cancel at Alipay (again)"


@dataclass(frozen=True, slots=True)
class Move:
    """A cell of the table. ``to`` is ``None`` where the status stays; the step is kept anyway."""

    to: HoldStatus | None = None
    events: tuple[str, ...] = ()
    follow: Follow = Follow.NOTHING
    surprise: str | None = None
    may_close: bool = False


A, I, S, F, C = HoldFactKind  # noqa: E741 - the columns are called so

_KEEP: Final = Move()
_OPEN: Final[Mapping[HoldFactKind, Move]] = {
    S: Move(HoldStatus.AUTHORIZED, (AUTHORIZED,)),
    F: Move(HoldStatus.FINISHED, (AUTHORIZED, FINISHED)),
    C: Move(HoldStatus.CLOSED, (CLOSED,)),
}

TABLE: Final[Mapping[HoldStatus, Mapping[HoldFactKind, Move]]] = {
    HoldStatus.CREATED: {A: Move(may_close=True), I: Move(HoldStatus.WAITING), **_OPEN},
    HoldStatus.WAITING: {A: Move(follow=Follow.ASK, may_close=True), I: _KEEP, **_OPEN},
    HoldStatus.CLOSING: {
        A: Move(follow=Follow.CANCEL, may_close=True),
        I: Move(follow=Follow.CANCEL),
        # Frozen, and given up here: it is let go by the cancel, and nothing is announced meanwhile.
        S: Move(follow=Follow.CANCEL),
        F: Move(HoldStatus.FINISHED, (AUTHORIZED_LATE, FINISHED), surprise="hold_used_elsewhere"),
        C: Move(HoldStatus.CLOSED, (CLOSED,)),
    },
    HoldStatus.AUTHORIZED: {
        A: Move(surprise="authorized_hold_absent"),
        I: _KEEP,
        S: _KEEP,
        F: Move(HoldStatus.FINISHED, (FINISHED,)),
        C: Move(HoldStatus.CLOSED, (CLOSED,)),
    },
    HoldStatus.FINISHED: {
        A: Move(surprise="finished_hold_absent"),
        I: _KEEP,
        S: _KEEP,
        F: _KEEP,
        C: _KEEP,
    },
    HoldStatus.CLOSED: {
        A: _KEEP,
        I: _KEEP,
        S: Move(HoldStatus.AUTHORIZED, (AUTHORIZED_LATE,), surprise="hold_authorized_after_close"),
        F: Move(HoldStatus.FINISHED, (AUTHORIZED_LATE, FINISHED), surprise="hold_used_after_close"),
        C: _KEEP,
    },
}

ABSENT_PROOFS: Final = 2
"""How often Alipay must say "no such hold" before one is closed by that."""

CODE_DEAD_SECONDS: Final = 120
"""How long after it was used a payment code can surely freeze nothing any more (apis.md §8,
unverified)."""

PROOF_SECONDS: Final = 10
"""How long after a call whose outcome is unknown a question proves anything (money.md §5)."""

STEP_LEASE_SECONDS: Final = 120
"""After this a hold is due again whose step died unseen: longer than any call."""

SCAN_DELAYS_SECONDS: Final = (3, 3, 4, 5)
"""When a hold at the counter is asked about, while somebody stands there; the last one repeats."""

ASK_DELAYS_SECONDS: Final = (4, 6, 10, 15, 30, 60, 120, 300, 600)
"""When any other that is not decided is asked about; the last one repeats."""

CANCEL_DELAYS_SECONDS: Final = (3, 5, 10, 20, 30, 60, 60, 120, 300, 600)
"""When a cancel without a proof is asked about or made again; the last one repeats."""

RELEASE_DELAYS_SECONDS: Final = (10, 10, 20, 60, 300, 900)
"""When a release whose outcome is unknown is asked about; the last one repeats."""

WATCH_SECONDS: Final = 24 * 3600
"""How often an authorized hold is asked about: Alipay lets one go that is too old, and tells nobody."""

CANCELS_BEFORE_PERSON: Final = 8
"""After so many cancels without a proof people are told; it goes on."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What one fact does to a hold."""

    status: HoldStatus
    events: tuple[str, ...] = ()
    follow: Follow = Follow.NOTHING
    surprise: str | None = None
    captured: Money = NOTHING
    released: Money = NOTHING

    @property
    def late(self) -> bool:
        """Whether money was frozen for what had been given up."""
        return AUTHORIZED_LATE in self.events


def disagreement(hold: Hold, fact: HoldFact) -> str | None:
    """Why ``fact`` cannot be about ``hold``, or ``None`` if all that it carries agrees."""
    if fact.auth_no is not None and hold.auth_no not in (None, fact.auth_no):
        return "auth_no_differs"
    if fact.kind not in (S, F):
        return None  # nothing is frozen, and its sums say so
    if fact.frozen is not None and fact.frozen != hold.amount:
        return "hold_amount_differs"
    parts = [part for part in (fact.captured, fact.rest) if part is not None]
    total = Money.total(parts, hold.amount.currency) if parts else None
    return None if total is None or total <= hold.amount else "hold_amount_differs"


def decide(hold: Hold, fact: HoldFact, *, grace_seconds: int) -> Decision:
    """What ``fact`` does to ``hold``: the cell of the table, and what surrounds it."""
    same = Decision(hold.status, captured=hold.captured, released=hold.released)
    problem = disagreement(hold, fact)
    if problem is not None:
        return replace(same, surprise=problem)
    move = TABLE[hold.status][fact.kind]
    if move.may_close and not hold.attention and absence_is_proven(hold, fact, grace_seconds):
        return replace(same, status=HoldStatus.CLOSED, events=(CLOSED,))
    # Cumulative, and in any order: the most that anything has told, never a sum.
    captured = max(hold.captured, fact.captured or hold.captured)
    released = max(hold.released, fact.released or hold.released)
    if fact.kind is C and hold.authorized_at is not None:
        released = hold.amount - captured
    return Decision(
        status=move.to or hold.status,
        events=move.events,
        follow=move.follow,
        surprise=move.surprise,
        captured=captured,
        released=released,
    )


def absence_is_proven(hold: Hold, fact: HoldFact, grace_seconds: int) -> bool:
    """Whether "no such hold" has been said often enough, at a time when nobody can make one."""
    counts = absence_counts(hold, fact.learned_at, grace_seconds)
    return counts and hold.absent_count + 1 >= ABSENT_PROOFS


def absence_counts(hold: Hold, now: datetime, grace_seconds: int) -> bool:
    """Whether "no such hold" says anything at ``now``: the time to confirm is over, or it was given up
    and what was handed out is dead. A code that a buyer can scan lives until it expires."""
    if now >= hold.expires_at + timedelta(seconds=grace_seconds):
        return True
    scanned = hold.way == "barcode" or hold.called_at is None
    dead_at = (hold.called_at or hold.created_at) + timedelta(seconds=CODE_DEAD_SECONDS)
    return hold.status is HoldStatus.CLOSING and scanned and now >= dead_at


class Action(StrEnum):
    """What a step does about a hold."""

    NOTHING = "nothing"
    ASK = "ask"
    GIVE_UP = "give up"
    CANCEL = "cancel"


def next_action(hold: Hold, now: datetime, grace_seconds: int) -> Action:
    """What to do about ``hold`` at ``now``. Where a fact did not fit nothing is cancelled by itself."""
    if hold.status is HoldStatus.FINISHED:
        return Action.NOTHING
    if hold.attention or hold.status in (HoldStatus.AUTHORIZED, HoldStatus.CLOSED):
        # A closed one is due only if something was told of it.
        return Action.ASK
    if hold.status is HoldStatus.CLOSING:
        return Action.CANCEL
    over = now >= hold.expires_at + timedelta(seconds=grace_seconds)
    if hold.wait_until is not None:
        # At the counter: once more at the end of the time, so that the last second is seen.
        over = over or (now >= hold.wait_until and hold.ask_count > 0)
    # An unopened code has no hold at Alipay: there is nothing to cancel, and absence is the proof.
    known = hold.status is HoldStatus.WAITING or hold.wait_until is not None
    return Action.GIVE_UP if over and known else Action.ASK


def due_after_asking(hold: Hold, now: datetime, grace_seconds: int) -> datetime:
    """When a hold that stays as it is is asked about next."""
    if hold.status is HoldStatus.AUTHORIZED:
        return now + timedelta(seconds=WATCH_SECONDS)
    at_counter = hold.wait_until is not None and now < hold.wait_until
    if at_counter:
        assert hold.wait_until is not None
        return min(now + _delay(SCAN_DELAYS_SECONDS, hold.ask_count), hold.wait_until)
    due_at = now + _delay(ASK_DELAYS_SECONDS, hold.ask_count)
    deadline = hold.expires_at + timedelta(seconds=grace_seconds)
    return min(due_at, deadline) if now < deadline else now + timedelta(seconds=60)


def due_after_cancelling(hold: Hold, now: datetime) -> datetime:
    """When a cancel that has proven nothing is made again."""
    return now + _delay(CANCEL_DELAYS_SECONDS, hold.cancel_count)


# ---- releases


class ReleaseAction(StrEnum):
    """What a step does about a release."""

    CALL = "call"
    DOUBT = "doubt"  # a call was begun and never recorded: the process died
    ASK = "ask"


def next_release_action(release: Release) -> ReleaseAction:
    """What to do about an open release."""
    if release.calling:
        return ReleaseAction.DOUBT
    if release.status is ReleaseStatus.REQUESTED:
        return ReleaseAction.CALL
    return ReleaseAction.ASK


class Told(StrEnum):
    """What a call or a question has told of a release."""

    DONE = "done"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    ABSENT = "absent"  # a question: Alipay has no such operation


def release_after(release: Release, told: Told, now: datetime) -> ReleaseStatus:
    """Where a release stands after an answer.

    A no to the first call is a no. A no after an outcome that nobody knows is still unknown; then only
    a question, long enough after the call, decides (money.md §5): no such operation means that it
    failed if the last call was refused, and else that the same call is made again.
    """
    if told is Told.DONE:
        return ReleaseStatus.SUCCEEDED
    if told is Told.REJECTED:
        first = release.status is ReleaseStatus.REQUESTED and release.call_count <= 1
        return ReleaseStatus.FAILED if first else ReleaseStatus.UNKNOWN
    proven = release.called_at is None or now >= release.called_at + timedelta(
        seconds=PROOF_SECONDS
    )
    if told is Told.ABSENT and proven:
        return ReleaseStatus.FAILED if release.rejected else ReleaseStatus.REQUESTED
    return ReleaseStatus.UNKNOWN


def release_due(release: Release, now: datetime) -> datetime:
    """When an open release is worked on next."""
    if release.status is ReleaseStatus.REQUESTED:
        return now
    return now + _delay(RELEASE_DELAYS_SECONDS, release.ask_count)


# ---- what remains


def balance_of(
    hold: Hold,
    releases: Iterable[Release],
    captures: Iterable[tuple[Money, bool | None]],
) -> Balance:
    """Where the money of ``hold`` is, reckoned from Alipay's totals and from what is under way here.

    ``captures`` are the amounts of its orders, with whether each is paid: ``None`` while nobody knows.
    Where Alipay tells of more than we know, Alipay's total stands.
    """
    zero = Money.zero(hold.amount.currency)
    listed, taken = list(releases), list(captures)
    let_go = Money.total(
        (r.amount for r in listed if r.status is ReleaseStatus.SUCCEEDED), zero.currency
    )
    paid = Money.total((amount for amount, is_paid in taken if is_paid), zero.currency)
    frozen = hold.authorized_at is not None
    return Balance(
        frozen=hold.amount if frozen else zero,
        captured=max(hold.captured, paid),
        capturing=Money.total((a for a, is_paid in taken if is_paid is None), zero.currency),
        released=max(hold.released, let_go),
        releasing=Money.total((r.amount for r in listed if r.is_open), zero.currency),
    )


def released_elsewhere(hold: Hold, releases: Iterable[Release]) -> Money:
    """What Alipay tells was let go beyond what we know of, once nothing of ours is under way."""
    listed = list(releases)
    if any(r.is_open for r in listed):
        return Money.zero(hold.amount.currency)
    known = Money.total(
        (r.amount for r in listed if r.status is ReleaseStatus.SUCCEEDED), hold.amount.currency
    )
    more = hold.released - known
    return more if more > Money.zero(hold.amount.currency) else Money.zero(hold.amount.currency)


def _delay(ladder: tuple[int, ...], rung: int) -> timedelta:
    return timedelta(seconds=ladder[min(max(rung, 0), len(ladder) - 1)])
