"""How an order moves: the table of money.md §3 as data, and the decisions around it. Pure.

`TABLE` has an entry for every (situation, fact). The diagram and the table in the documentation
are generated from it, and a test tries every cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from daozhang.money import Money
from daozhang.service.orders.model import (
    ClosingReason,
    Fact,
    FactKind,
    Order,
    OrderStatus,
    RefundFact,
    TradeFact,
    Way,
)


class Situation(StrEnum):
    """A row of the table: the status, with closing told apart by its reason."""

    CREATED = "created"
    WAITING = "waiting"
    CLOSING = "closing (close, expiry)"
    CANCELLING = "closing (cancel)"
    PAID = "paid"
    FINISHED = "finished"
    CLOSED = "closed"
    REFUNDED = "refunded"


class Follow(StrEnum):
    """What is done next about an order, beside announcing."""

    NOTHING = "nothing"
    ASK = "ask"  # trade query and refund query
    CLOSE = "close"  # close at Alipay (again)
    CANCEL = "cancel"  # cancel at Alipay (again)
    PERSON_AT_LIMIT = "ask to a limit, then a person"


@dataclass(frozen=True, slots=True)
class Move:
    """A cell of the table. ``to`` is ``None`` where the status stays; the step is kept anyway."""

    to: OrderStatus | None = None
    events: tuple[str, ...] = ()
    follow: Follow = Follow.NOTHING
    surprise: str | None = None
    takes_refunded: bool = False
    may_expire: bool = False
    holds: bool = False
    surprise_if_close_confirmed: bool = False


A, W, P, PP = FactKind.ABSENT, FactKind.WAITING, FactKind.PAID, FactKind.PARTLY_REFUNDED
F, R, CU, CQ = (
    FactKind.FINISHED,
    FactKind.REFUNDED,
    FactKind.CLOSED_UNPAID,
    FactKind.CLOSED_UNCLEAR,
)

PAID = "order.paid"
PAID_LATE = "order.paid_late"
FINISHED = "order.finished"
CLOSED = "order.closed"
REFUNDED = "order.refunded"
REFUND_SUCCEEDED = "refund.succeeded"
SURPRISE = "order.surprise"
SURPRISE_RESOLVED = "order.surprise_resolved"
DUPLICATE = "order.duplicate_payment"

PLAIN_KINDS: Final = (W, P)
"""The facts that may be plain: see `is_plain`."""

_KEEP: Final = Move()
_ASK: Final = Move(follow=Follow.ASK)

_OPEN: Final[Mapping[FactKind, Move]] = {
    P: Move(OrderStatus.PAID, (PAID,)),
    PP: Move(OrderStatus.PAID, (PAID, REFUND_SUCCEEDED), takes_refunded=True),
    F: Move(OrderStatus.FINISHED, (PAID, FINISHED), takes_refunded=True),
    R: Move(OrderStatus.REFUNDED, (REFUNDED,), takes_refunded=True),
    CU: Move(OrderStatus.CLOSED, (CLOSED,)),
    CQ: _ASK,
}
_LATE: Final[Mapping[FactKind, Move]] = {
    P: Move(OrderStatus.PAID, (PAID_LATE,), surprise_if_close_confirmed=True),
    PP: Move(
        OrderStatus.PAID,
        (PAID_LATE, REFUND_SUCCEEDED),
        takes_refunded=True,
        surprise_if_close_confirmed=True,
    ),
    F: Move(
        OrderStatus.FINISHED,
        (PAID_LATE, FINISHED),
        takes_refunded=True,
        surprise_if_close_confirmed=True,
    ),
    R: Move(OrderStatus.REFUNDED, (REFUNDED,), takes_refunded=True),
}

TABLE: Final[Mapping[Situation, Mapping[FactKind, Move]]] = {
    Situation.CREATED: {
        A: Move(may_expire=True),
        W: Move(OrderStatus.WAITING),
        **_OPEN,
    },
    Situation.WAITING: {
        A: Move(follow=Follow.ASK, may_expire=True),
        W: _KEEP,
        **_OPEN,
    },
    Situation.CLOSING: {
        A: Move(may_expire=True),
        W: Move(follow=Follow.CLOSE),
        **_LATE,
        CU: Move(OrderStatus.CLOSED, (CLOSED,)),
        CQ: _ASK,
    },
    Situation.CANCELLING: {
        A: Move(follow=Follow.PERSON_AT_LIMIT, may_expire=True),
        W: Move(follow=Follow.CANCEL),
        P: Move(holds=True),
        PP: Move(follow=Follow.ASK, holds=True),
        F: Move(OrderStatus.FINISHED, (PAID, FINISHED), takes_refunded=True),
        R: Move(OrderStatus.REFUNDED, (REFUNDED,), takes_refunded=True),
        CU: Move(OrderStatus.CLOSED, (CLOSED,)),
        CQ: _ASK,
    },
    Situation.PAID: {
        A: Move(surprise="paid_trade_absent"),
        W: _KEEP,
        P: _KEEP,
        PP: Move(events=(REFUND_SUCCEEDED,), takes_refunded=True),
        F: Move(OrderStatus.FINISHED, (FINISHED,), takes_refunded=True),
        R: Move(OrderStatus.REFUNDED, (REFUND_SUCCEEDED, REFUNDED), takes_refunded=True),
        CU: Move(follow=Follow.ASK, surprise="paid_trade_closed_unpaid"),
        CQ: _ASK,
    },
    Situation.FINISHED: {
        A: Move(surprise="finished_trade_absent"),
        W: _KEEP,
        P: _KEEP,
        PP: Move(events=(REFUND_SUCCEEDED,), takes_refunded=True),
        F: Move(takes_refunded=True),
        R: Move(
            OrderStatus.REFUNDED,
            (REFUNDED,),
            surprise="finished_trade_refunded",
            takes_refunded=True,
        ),
        CU: Move(surprise="finished_trade_closed_unpaid"),
        CQ: _ASK,
    },
    Situation.CLOSED: {
        A: _KEEP,
        W: Move(follow=Follow.CLOSE),
        **_LATE,
        CU: _KEEP,
        CQ: _ASK,
    },
    Situation.REFUNDED: {
        A: Move(surprise="refunded_trade_absent"),
        W: _KEEP,
        P: _KEEP,
        PP: _KEEP,
        F: Move(surprise="refunded_trade_finished"),
        R: _KEEP,
        CU: _KEEP,
        CQ: _KEEP,
    },
}

ABSENT_PROOFS: Final = 2
"""How often Alipay must say "no such trade" after expiry and grace before an order is closed."""

UNCLEAR_ANSWERS_MAX: Final = 4
"""How often a closed trade with signs of payment is asked about before a person is."""

CANCEL_ABSENT_MAX: Final = 10
"""How often a trade that is being cancelled may be absent before a person is asked."""

CANCEL_ABSENT_PROOFS: Final = 3
"""How often Alipay must say "no such trade" of a payment that is being cancelled before it is closed."""

ONLY_OURS: Final = (ClosingReason.CANCEL, ClosingReason.REFUSED)
"""Why an order is closing that nobody but us could still have paid: no address of it is out."""

CODE_DEAD_SECONDS: Final = 120
"""How long after it was charged a payment code can surely pay nothing any more: it lives one minute
(apis.md §8, unverified)."""

QUERY_DELAYS_SECONDS: Final = (15, 30, 60, 120, 240, 480, 900, 1800, 3600)
"""When a silent order is asked about, after the last time; the last one repeats."""

QR_DELAYS_SECONDS: Final = (4, 4, 4, 4, 5, 5, 5, 10, 10, 15, 30)
"""The same while a code is shown to a buyer who stands there: every few seconds at first (apis.md §7),
then by the other ladder."""

PROOF_DELAY_SECONDS: Final = 60
"""How long after one "no such trade" past its expiry an order is asked about for the second."""

ASK_DELAY_SECONDS: Final = 10
"""How soon something that only a query can tell is asked (money.md §5: at least 10 s)."""


def situation_of(order: Order) -> Situation:
    """The row of the table in which ``order`` stands."""
    if order.status is OrderStatus.CLOSING:
        cancelled = order.closing_reason is ClosingReason.CANCEL
        return Situation.CANCELLING if cancelled else Situation.CLOSING
    return Situation(order.status.value)


def disagreement(order: Order, fact: Fact) -> str | None:
    """Why ``fact`` cannot be about ``order``, or ``None`` if all that it carries agrees.

    Every identity that is present must agree, and the total must equal the order's amount
    (money.md §2). The total, never the receipt amount: discounts lower that.
    """
    if fact.trade_no is not None and order.trade_no not in (None, fact.trade_no):
        return "trade_no_differs"
    if isinstance(fact, RefundFact):
        exceeds = _exceeds(fact.proven, order.amount) or _exceeds(fact.cumulative, order.amount)
        return "refund_exceeds_total" if exceeds else None
    if fact.app_id not in (None, order.app_id):
        return "app_id_differs"
    if fact.seller_id not in (None, order.seller_id):
        return "seller_id_differs"
    if fact.total not in (None, order.amount):
        return "amount_differs"
    return "refund_exceeds_total" if _exceeds(fact.refunded, order.amount) else None


def _exceeds(part: Money | None, whole: Money) -> bool:
    """Whether ``part`` cannot be a part of ``whole``: it is more, or other money."""
    return part is not None and (part.currency != whole.currency or part > whole)


def refunded_after(order: Order, fact: Fact) -> Money:
    """What is refunded once ``fact`` is taken in: the most that anything has proven.

    ``refund_fee`` is cumulative and arrives in any order: the maximum is taken, never a sum.
    """
    if isinstance(fact, RefundFact):
        told = fact.proven if fact.cumulative is None else max(fact.proven, fact.cumulative)
    else:
        told = order.amount if fact.kind is FactKind.REFUNDED else order.refunded
        told = told if fact.refunded is None else fact.refunded
    return max(order.refunded, told)


def kind_for(order: Order, fact: Fact) -> FactKind:
    """The column of the table under which ``fact`` falls, given what the order knows already.

    A refund that succeeded says that the trade is partly or wholly refunded. A closed trade with
    signs of payment is a refunded one once the proven refunds reach the total.
    """
    refunded = refunded_after(order, fact)
    whole = refunded == order.amount
    if isinstance(fact, RefundFact):
        return FactKind.REFUNDED if whole else FactKind.PARTLY_REFUNDED
    if fact.kind is FactKind.CLOSED_UNCLEAR and whole:
        return FactKind.REFUNDED
    return fact.kind


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an order: its new status, what is announced, what follows."""

    status: OrderStatus
    events: tuple[str, ...]
    follow: Follow
    refunded: Money
    surprise: str | None = None
    late: bool = False
    expires: bool = False
    note: str | None = None


def decide(order: Order, fact: Fact, *, grace_seconds: int) -> Decision:
    """What ``fact`` does to ``order``. A fact that does not fit changes nothing but attention."""
    reason = disagreement(order, fact)
    if reason is not None:
        return _unchanged(order, surprise=reason)
    kind = kind_for(order, fact)
    move = TABLE[situation_of(order)][kind]
    refunded = refunded_after(order, fact) if move.takes_refunded else order.refunded
    surprise = move.surprise
    if surprise is None and move.surprise_if_close_confirmed and order.close_confirmed:
        surprise = "paid_after_confirmed_close"
    # Where a person has to look, nothing closes by itself.
    if move.may_expire and not order.attention and _absence_is_proven(order, fact, grace_seconds):
        expires = order.closing_reason not in ONLY_OURS
        return Decision(
            OrderStatus.CLOSED, (CLOSED,), Follow.NOTHING, order.refunded, expires=expires
        )
    if _person_is_due(order, kind, move):
        surprise = "outcome_stays_unclear"
    events = _events(order, kind, move, refunded)
    return Decision(
        status=move.to or order.status,
        events=events,
        follow=move.follow,
        refunded=refunded,
        surprise=surprise,
        late=PAID_LATE in events,
        note="held until the cancel's outcome is proven" if move.holds else None,
    )


def is_plain(order: Order, fact: TradeFact, decision: Decision) -> bool:
    """Whether ``decision`` moves ``order`` or leaves it where it is, and touches nothing else.

    No refund is told of, nobody has to look or to act, no other order of a cart can matter, and
    nothing of it is to be shared.
    """
    return (
        fact.kind in PLAIN_KINDS
        and fact.refunded is None
        and order.cart_ref is None
        and order.share_plan is None
        and decision.surprise is None
        and decision.note is None
        and decision.follow is Follow.NOTHING
        and decision.events in ((), (PAID,))
    )


def _events(order: Order, kind: FactKind, move: Move, refunded: Money) -> tuple[str, ...]:
    """The move's events; a refunded amount that came with "finished" adds its own."""
    if kind is FactKind.FINISHED and refunded > order.refunded:
        return (*move.events, REFUND_SUCCEEDED)
    return move.events


def _unchanged(order: Order, *, surprise: str) -> Decision:
    return Decision(order.status, (), Follow.NOTHING, order.refunded, surprise=surprise)


def is_past_grace(order: Order, now: datetime, grace_seconds: int) -> bool:
    """Whether ``order``'s time, and the grace after it, have run out."""
    return now >= order.expires_at + timedelta(seconds=grace_seconds)


def _absence_is_proven(order: Order, fact: Fact, grace_seconds: int) -> bool:
    if situation_of(order) is Situation.CANCELLING:
        called_at = order.signed_at or order.created_at
        dead = fact.learned_at >= called_at + timedelta(seconds=CODE_DEAD_SECONDS)
        return dead and order.absent_count + 1 >= CANCEL_ABSENT_PROOFS
    return absence_counts(order, fact.learned_at, grace_seconds) and (
        order.absent_count + 1 >= ABSENT_PROOFS
    )


def absence_counts(order: Order, now: datetime, grace_seconds: int) -> bool:
    """Whether "no such trade" proves something: nobody can open one any more, because the time is over, or
    because only we could, and were refused, or have cancelled it."""
    return order.closing_reason in ONLY_OURS or is_past_grace(order, now, grace_seconds)


def _person_is_due(order: Order, kind: FactKind, move: Move) -> bool:
    if kind is FactKind.CLOSED_UNCLEAR and move.follow is Follow.ASK:
        return order.unclear_count + 1 >= UNCLEAR_ANSWERS_MAX
    if move.follow is Follow.PERSON_AT_LIMIT:
        return order.absent_count + 1 >= CANCEL_ABSENT_MAX
    return False


CHARGED_HERE: Final = (Way.HOLD, Way.AGREEMENT)
"""Ways by which we charge ourselves: whoever charges asks what became of it, from the call to the end."""

LAST_RESORT_SECONDS: Final = 24 * 3600
"""How often an order that is charged here is asked about beside, should its charge be lost."""


def next_query_at(order: Order, now: datetime, *, grace_seconds: int) -> datetime:
    """When an open order is asked about next: ever more rarely, and surely when its time is up."""
    if order.way in CHARGED_HERE:
        return now + timedelta(seconds=LAST_RESORT_SECONDS)
    by_ladder = now + timedelta(seconds=_delay(order))
    deadline = order.expires_at + timedelta(seconds=grace_seconds)
    if now < deadline:
        return min(by_ladder, deadline)
    if order.absent_count:
        return now + timedelta(seconds=PROOF_DELAY_SECONDS)
    return by_ladder


def first_query_at(way: Way, now: datetime) -> datetime:
    """When an order that can be paid from now on is asked about for the first time."""
    if way in CHARGED_HERE:
        return now + timedelta(seconds=LAST_RESORT_SECONDS)
    shown = way is Way.QR
    return now + timedelta(seconds=(QR_DELAYS_SECONDS if shown else QUERY_DELAYS_SECONDS)[0])


def _delay(order: Order) -> int:
    """How long the next question about an open order waits after this one."""
    rung = order.query_count
    if order.way is Way.QR and order.signed_at is not None:
        if rung < len(QR_DELAYS_SECONDS):
            return QR_DELAYS_SECONDS[rung]
        rung -= len(QR_DELAYS_SECONDS)
    return QUERY_DELAYS_SECONDS[min(rung, len(QUERY_DELAYS_SECONDS) - 1)]


REFUND: Final = "refund"
"""The kind, in a step, of a fact about one refund; of a trade it is a `FactKind`."""


def describe(fact: Fact) -> dict[str, object]:
    """``fact`` as the step keeps it: readable, and without personal fields."""
    common: dict[str, object] = {"trade_no": fact.trade_no, "source": fact.source.value}
    if isinstance(fact, TradeFact):
        details = {
            "kind": fact.kind.value,
            "total_amount": _text(fact.total),
            "refunded_amount": _text(fact.refunded),
            "out_request_no": fact.refund_request_no,
        }
    else:
        details = {
            "kind": REFUND,
            "out_request_no": fact.out_request_no,
            "refund_amount": str(fact.amount),
            "refunded_amount": _text(fact.cumulative or fact.proven),
        }
    return {key: value for key, value in {**common, **details}.items() if value is not None}


def _text(amount: Money | None) -> str | None:
    return None if amount is None else str(amount)
