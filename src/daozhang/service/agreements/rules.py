"""How an agreement moves, when it is charged, and what follows a try that failed. Pure.

Sources: apis.md §14.2 for what Alipay does; money.md §5. The diagram in the documentation is generated from
`TABLE`, and a test tries every cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from daozhang.clock import BEIJING, business_day
from daozhang.service.agreements.events import ENDED, RESUMED, SIGNED, STOPPED
from daozhang.service.agreements.model import (
    Agreement,
    AgreementFact,
    AgreementFactKind,
    AgreementStatus,
    Deduction,
    DeductionStatus,
)


class Follow(StrEnum):
    """What is done next about an agreement, beside announcing."""

    NOTHING = "nothing"
    UNSIGN = "unsign at Alipay (again)"


@dataclass(frozen=True, slots=True)
class Move:
    """A cell of the table. ``to`` is ``None`` where the status stays; the step is kept anyway."""

    to: AgreementStatus | None = None
    events: tuple[str, ...] = ()
    follow: Follow = Follow.NOTHING
    surprise: str | None = None
    may_expire: bool = False


A, T, N, S, U = AgreementFactKind

_KEEP: Final = Move()
_ENDS: Final = Move(AgreementStatus.ENDED, (ENDED,))
_SIGNED: Final[Mapping[AgreementFactKind, Move]] = {
    T: Move(AgreementStatus.TEMP),
    N: Move(AgreementStatus.ACTIVE, (SIGNED,)),
    S: Move(AgreementStatus.STOPPED, (SIGNED, STOPPED)),
    U: _ENDS,
}

TABLE: Final[Mapping[AgreementStatus, Mapping[AgreementFactKind, Move]]] = {
    AgreementStatus.CREATED: {A: Move(may_expire=True), **_SIGNED},
    AgreementStatus.TEMP: {A: _ENDS, **_SIGNED, T: _KEEP},
    AgreementStatus.ACTIVE: {
        A: _ENDS,
        T: _KEEP,
        N: _KEEP,
        S: Move(AgreementStatus.STOPPED, (STOPPED,)),
        U: _ENDS,
    },
    AgreementStatus.STOPPED: {
        A: _ENDS,
        T: _KEEP,
        N: Move(AgreementStatus.ACTIVE, (RESUMED,)),
        S: _KEEP,
        U: _ENDS,
    },
    AgreementStatus.ENDING: {
        A: _ENDS,
        T: Move(follow=Follow.UNSIGN),
        N: Move(follow=Follow.UNSIGN),
        S: Move(follow=Follow.UNSIGN),
        U: _ENDS,
    },
    AgreementStatus.ENDED: {
        A: _KEEP,
        T: Move(surprise="ended_agreement_lives"),
        N: Move(surprise="ended_agreement_lives"),
        S: Move(surprise="ended_agreement_lives"),
        U: _KEEP,
    },
    AgreementStatus.EXPIRED: {A: _KEEP, **_SIGNED},
}

CHARGEABLE: Final = AgreementStatus.ACTIVE

ABSENT_PROOFS: Final = 2
"""How often Alipay must say "no such agreement" after the page has died before it is expired."""

WINDOW_DAYS: Final = 5
"""How many days before the planned day Alipay takes a charge (apis.md §14.2; older documents say 3)."""

ASK_DELAYS_SECONDS: Final = (15, 30, 60, 120, 300, 900, 3600)
"""When a page that was opened is asked about; the last one repeats."""

UNSIGN_DELAYS_SECONDS: Final = (10, 20, 60, 300, 900, 3600)
"""When an end without a proof is asked about or asked for again; the last one repeats."""

WATCH_SECONDS: Final = 24 * 3600
"""How often an agreement is asked about: one whose validity runs out is told to nobody."""

STEP_LEASE_SECONDS: Final = 120
"""After this an agreement is due again whose step died unseen: longer than any call."""

RETRY_AFTER: Final = timedelta(hours=4)
"""How long after a try that failed for lack of money the next one is made."""

FIRST_HOUR: Final = time(8)
LAST_HOUR: Final = time(22)
"""Nobody is charged at night: in Beijing."""

MONEY_CODES: Final = frozenset(
    {
        "ACQ.BUYER_BALANCE_NOT_ENOUGH",
        "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH",
        "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE",
        "ACQ.ERROR_BALANCE_PAYMENT_DISABLE",
        "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR",
        "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR",
        "ACQ.PAYMENT_FAIL",
        "ACQ.SYSTEM_ERROR",
    }
)
"""A no that another hour may turn into a yes."""

STATE_CODES: Final = frozenset(
    {
        "ACQ.AGREEMENT_NOT_EXIST",
        "ACQ.AGREEMENT_INVALID",
        "ACQ.AGREEMENT_STATUS_NOT_NORMAL",
        "ACQ.AGREEMENT_ERROR",
        "ACQ.CYCLE_PAY_DATE_NOT_MATCH",
    }
)
"""A no that speaks of the agreement or its plan: it is asked about, and nothing is tried meanwhile."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What one fact does to an agreement."""

    status: AgreementStatus
    events: tuple[str, ...] = ()
    follow: Follow = Follow.NOTHING
    surprise: str | None = None


def decide(agreement: Agreement, fact: AgreementFact, *, grace_seconds: int) -> Decision:
    """What ``fact`` does to ``agreement``: the cell of the table, and what surrounds it."""
    known = agreement.agreement_no
    if known is not None and fact.agreement_no not in (None, known):
        return Decision(agreement.status, surprise="agreement_no_differs")
    move = TABLE[agreement.status][fact.kind]
    if move.may_expire and _absence_is_proven(agreement, fact, grace_seconds):
        return Decision(AgreementStatus.EXPIRED)
    return Decision(move.to or agreement.status, move.events, move.follow, move.surprise)


def _absence_is_proven(agreement: Agreement, fact: AgreementFact, grace_seconds: int) -> bool:
    counts = is_past_grace(agreement, fact.learned_at, grace_seconds)
    return counts and agreement.absent_count + 1 >= ABSENT_PROOFS


def is_past_grace(agreement: Agreement, now: datetime, grace_seconds: int) -> bool:
    """Whether the time to sign, and the grace after it, have run out."""
    return now >= agreement.expires_at + timedelta(seconds=grace_seconds)


def due_after_asking(agreement: Agreement, now: datetime, grace_seconds: int) -> datetime | None:
    """When an agreement is asked about next; ``None`` after its end."""
    if agreement.status in (AgreementStatus.ENDED, AgreementStatus.EXPIRED):
        return None
    if agreement.status is AgreementStatus.ENDING:
        return now + _delay(UNSIGN_DELAYS_SECONDS, agreement.ask_count)
    if agreement.status is not AgreementStatus.CREATED:
        return now + timedelta(seconds=WATCH_SECONDS)
    deadline = agreement.expires_at + timedelta(seconds=grace_seconds)
    if now >= deadline:
        return now + timedelta(seconds=60)
    return min(now + _delay(ASK_DELAYS_SECONDS, agreement.ask_count), deadline)


# ---- charging


def window_of(agreement: Agreement) -> tuple[date, date] | None:
    """The first and the last day on which the next period can be charged; ``None`` without a plan of
    Alipay's: then any day will do."""
    last = agreement.next_deduct_on
    return None if last is None else (last - timedelta(days=WINDOW_DAYS), last)


def period_is_free(agreement: Agreement, deductions: Iterable[Deduction]) -> bool:
    """Whether the present period may be charged: no try of it is open, and none has succeeded. No new
    number while the old one may live (money.md §5)."""
    taken = (DeductionStatus.OPEN, DeductionStatus.PAID)
    same = [d for d in deductions if d.planned_on == agreement.next_deduct_on]
    if agreement.next_deduct_on is None:
        return not any(d.status is DeductionStatus.OPEN for d in same)
    return not any(d.status in taken for d in same)


def first_try_at(agreement: Agreement) -> datetime | None:
    """When the present period is charged by itself for the first time; ``None`` if it never is."""
    plan, window = agreement.plan, window_of(agreement)
    if plan is None or window is None:
        return None
    opens, planned = window
    day = max(planned - timedelta(days=plan.lead_days), opens)
    return datetime.combine(day, FIRST_HOUR, BEIJING).astimezone(UTC)


def next_try_after(agreement: Agreement, code: str | None, now: datetime) -> datetime | None:
    """When a try that failed with ``code`` is followed by another; ``None``: not by itself.

    Every four hours, by day, until the evening of the planned day.
    """
    window = window_of(agreement)
    if code not in MONEY_CODES or agreement.plan is None or window is None:
        return None
    at = (now + RETRY_AFTER).astimezone(BEIJING)
    if at.time() > LAST_HOUR or at.time() < FIRST_HOUR:
        day = at.date() + timedelta(days=1) if at.time() > LAST_HOUR else at.date()
        at = datetime.combine(day, FIRST_HOUR, BEIJING)
    return at.astimezone(UTC) if at.date() <= window[1] else None


def window_opens_at(agreement: Agreement, now: datetime) -> datetime | None:
    """When the window of a period that is not charged by itself opens; ``None`` if that is over."""
    window = window_of(agreement)
    if agreement.plan is not None or window is None or agreement.status is not CHARGEABLE:
        return None
    if agreement.announced_on == agreement.next_deduct_on:
        return None
    opens = datetime.combine(window[0], FIRST_HOUR, BEIJING)
    return opens.astimezone(UTC) if opens > now else None


def number_of_next(agreement: Agreement, tries: Sequence[Deduction]) -> str:
    """The number of the next try to charge the present period, whose window is open.

    It names the planned day. Books that were restored from a copy have forgotten tries: counted through,
    a number that has paid one period would come again in another, and its money be taken for that one's.
    """
    day = agreement.next_deduct_on
    assert day is not None, "a period that is due has a planned day"
    nth = sum(one.planned_on == day for one in tries) + 1
    return f"{agreement.external_agreement_no}-{day:%Y%m%d}-{nth}"


def is_due(agreement: Agreement, now: datetime) -> bool:
    """Whether the window of the present period is open."""
    window = window_of(agreement)
    return window is not None and window[0] <= business_day(now) <= window[1]


def _delay(ladder: tuple[int, ...], rung: int) -> timedelta:
    return timedelta(seconds=ladder[min(max(rung, 0), len(ladder) - 1)])
