"""The verbs of a refund: request, take an answer, ask soon."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from daozhang.clock import BEIJING
from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.jobs import Jobs
from daozhang.service.orders.actions import raise_surprise, release, reserve
from daozhang.service.orders.events import snapshot_of
from daozhang.service.orders.model import Order
from daozhang.service.orders.rules import SURPRISE
from daozhang.service.outbox.actions import append_event
from daozhang.service.refunds import rules, store
from daozhang.service.refunds.events import refund_snapshot
from daozhang.service.refunds.model import (
    Answer,
    NewRefund,
    Outcome,
    Refund,
    RefundOrigin,
    RefundStatus,
)
from daozhang.service.refunds.refusals import RefundConflict, RefundLimitExceeded
from daozhang.service.refunds.settling import REFUNDS_SIGNAL, settle_fact, settle_unnamed
from daozhang.service.web.context import Context

LEASE_SECONDS: Final = 120
"""After this a refund is due again whose attempt died unseen."""

REFUND_JOB: Final = "refund"
"""The name under which refund attempts wait in the queue."""


def request_refund(
    tx: Tx,
    jobs: Jobs,
    order: Order,
    new: NewRefund,
    now: datetime,
    *,
    daily_limit: Money | None = None,
) -> tuple[Refund, bool]:
    """The refund of that number on a locked order, and whether it is new.

    The intent is written, its amount reserved and its first attempt put on the queue, all in this
    transaction. The same number and amount again gives the refund that is there. Raises
    `RefundConflict`, `RefundLimitExceeded`, and what `reserve` raises.
    """
    known = store.find_refund(tx, order.id, new.out_request_no)
    if known is not None:
        if known.amount != new.amount or known.origin is not RefundOrigin.OURS:
            raise RefundConflict(known)
        return known, False
    if daily_limit is not None and new.requested_by is not None:
        _require_within(tx, new, daily_limit, now)
    reserve(tx, order, new.amount, now)
    refund_id = store.insert_refund(tx, _row_of(order, new, now))
    enqueue_attempt(tx, jobs, refund_id, 1)
    refund = store.find_refund_by_id(tx, refund_id)
    assert refund is not None
    return refund, True


def enqueue_attempt(tx: Tx, jobs: Jobs, refund_id: int, attempt: int) -> None:
    """Puts one attempt on the queue, within the transaction of its intent."""
    jobs.enqueue(tx, REFUND_JOB, f"{refund_id}:{attempt}", {"refund_id": refund_id})


def _row_of(order: Order, new: NewRefund, now: datetime) -> dict[str, object]:
    return {
        "order_id": order.id,
        "merchant_id": order.merchant_id,
        "out_request_no": new.out_request_no,
        "origin": RefundOrigin.OURS.value,
        "status": RefundStatus.REQUESTED.value,
        "amount_minor": new.amount.minor,
        "currency": new.amount.currency,
        "reason": new.reason,
        "operator_id": new.operator_id,
        "terminal_id": new.terminal_id,
        "store_id": new.store_id,
        "requested_by": new.requested_by,
        "calling": False,
        "call_count": 0,
        "ask_count": 0,
        "attempt": 1,
        # Should its job be lost for whatever reason, the sweep finds it here.
        "due_at": now + timedelta(seconds=LEASE_SECONDS),
        "created_at": now,
        "updated_at": now,
    }


def _require_within(tx: Tx, new: NewRefund, limit: Money, now: datetime) -> None:
    midnight = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    assert new.requested_by is not None
    used = store.requested_since(tx, new.requested_by, midnight, new.amount.currency)
    if used + new.amount > limit:
        raise RefundLimitExceeded(new.amount, limit, used)


def take_answer(
    tx: Tx, context: Context, order: Order, refund: Refund, answer: Answer, now: datetime
) -> None:
    """Moves a refund of a locked order by what one call or question has told."""
    move = rules.move_for(refund, answer.outcome)
    store.update_refund(
        tx,
        refund.id,
        calling=False,
        last_code=answer.code,
        last_message=answer.message,
        due_at=rules.due_after(move, refund, now),
        updated_at=now,
    )
    if answer.outcome is Outcome.PROVEN:
        assert answer.fact is not None
        settle_fact(tx, context, order, answer.fact)
    elif move.to is RefundStatus.FAILED:
        _fail(tx, context, order, refund.id, now)
    elif move.to is not None:
        store.update_refund(tx, refund.id, status=move.to.value)
    surprise = move.surprise
    if surprise is None and rules.person_is_due(refund) and answer.outcome is not Outcome.PROVEN:
        surprise = "refund_stays_unclear"
    if surprise is not None:
        _surprise(tx, context, order, refund, surprise, answer, now)


def _fail(tx: Tx, context: Context, order: Order, refund_id: int, now: datetime) -> None:
    refund = store.find_refund_by_id(tx, refund_id)
    assert refund is not None
    if refund.holds_reservation:
        order = release(tx, order, refund.amount, now)
    store.update_refund(tx, refund_id, status=RefundStatus.FAILED.value, ended_at=now, due_at=None)
    failed = store.find_refund_by_id(tx, refund_id)
    assert failed is not None
    data = {"order": snapshot_of(order), "refund": refund_snapshot(failed)}
    _append(tx, context, order, rules.FAILED_EVENT, data, now)


def _surprise(
    tx: Tx,
    context: Context,
    order: Order,
    refund: Refund,
    reason: str,
    answer: Answer,
    now: datetime,
) -> None:
    detail = f"refund {refund.out_request_no}: {answer.code or answer.outcome.value}"
    if raise_surprise(
        tx,
        merchant_id=order.merchant_id,
        order=order,
        reason=reason,
        detail=f"{detail}: {answer.message or ''}",
        amount=refund.amount,
        now=now,
    ):
        data = {"order": snapshot_of(order), "refund": refund_snapshot(refund)}
        _append(tx, context, order, SURPRISE, data, now)


def _append(
    tx: Tx, context: Context, order: Order, name: str, data: Mapping[str, object], now: datetime
) -> None:
    append_event(
        tx,
        merchant_id=order.merchant_id,
        environment=order.environment,
        order_id=order.id,
        type=name,
        data=data,
        now=now,
        signals=context.signals,
    )


def ask_refunds(tx: Tx, context: Context, order: Order) -> None:
    """Brings the next question about each open refund of ``order`` forward."""
    now = context.clock.now()
    for refund in store.list_refunds(tx, order.id):
        if refund.is_open and not refund.calling:
            store.update_refund(tx, refund.id, due_at=now)
    tx.after_commit(lambda: context.signals.wake(REFUNDS_SIGNAL))


__all__ = [
    "ask_refunds",
    "enqueue_attempt",
    "request_refund",
    "settle_fact",
    "settle_unnamed",
    "take_answer",
]
