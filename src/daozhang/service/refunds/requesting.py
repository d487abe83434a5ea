"""Asking for a refund: the intent, before any call."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from daozhang.clock import BEIJING
from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.outgoing import require_outgoing
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.orders.actions import require_paid, reserve
from daozhang.service.orders.model import Order
from daozhang.service.refunds import store
from daozhang.service.refunds.model import NewRefund, Refund, RefundOrigin, RefundStatus
from daozhang.service.refunds.refusals import (
    RefundConflict,
    RefundLimitExceeded,
    SecondPersonNeeded,
)
from daozhang.service.sharing.returning import (
    cover_returns,
    cover_what_others_have,
    expect_returns,
    named_returns,
    plan_returns,
    require_enough,
    royalty_parameters,
)
from daozhang.service.sweep import enqueue_step

LEASE_SECONDS: Final = 120
"""After this a refund is due again whose attempt died unseen."""

REFUND_JOB: Final = "refund"
"""The name under which refund attempts wait in the queue."""


def request_refund(
    tx: Tx,
    jobs: Jobs | None,
    order: Order,
    new: NewRefund,
    now: datetime,
    *,
    daily_limit: Money | None = None,
    may_wait: bool = False,
) -> tuple[Refund, bool]:
    """The refund of that number on a locked order, and whether it is new.

    The intent is written, its amount reserved and its first attempt put on the queue, all in this
    transaction. Without ``jobs`` the sweep puts it there, at once. The same number and amount
    again gives the refund that is there. Where outgoing money is stopped it is refused, or, if it
    ``may_wait``, kept until the switch allows it. Above the merchant's amounts it takes a second
    person, ``new.approved_by``. Raises `RefundConflict`, `OutgoingStopped`, `SecondPersonNeeded`,
    `RefundLimitExceeded`, and what `reserve` raises.
    """
    known = store.find_refund(tx, order.id, new.out_request_no)
    if known is not None:
        named = new.royalty_parameters
        same_shares = not named or list(known.royalty_parameters) == list(named)
        same = known.amount == new.amount and same_shares
        if not same or known.origin is not RefundOrigin.OURS:
            raise RefundConflict(known)
        return known, False
    if not may_wait:
        require_outgoing(tx, order.merchant_id)
        _require_one_is_enough(tx, order, new, now)
    if daily_limit is not None:
        _require_within(tx, new, daily_limit, now)
    require_paid(order)
    order, new = _with_returns(tx, order, new, now)
    reserve(tx, order, new.amount, now)
    due_at = now if jobs is None else now + timedelta(seconds=LEASE_SECONDS)
    refund_id = store.insert_refund(tx, _row_of(order, new, now, due_at))
    if jobs is not None:
        merchant = find_merchant_by_id(tx, order.merchant_id)
        args = {"refund_id": refund_id}
        enqueue_step(tx, jobs, REFUND_JOB, 1, args, merchant.app_row)
    refund = store.find_refund_by_id(tx, refund_id)
    assert refund is not None
    return refund, True


def _with_returns(tx: Tx, order: Order, new: NewRefund, now: datetime) -> tuple[Order, NewRefund]:
    """The order and the refund with what receivers give back, written down as on its way.

    Whom the caller names gives back so much; else as the shares' own plan says. Raises `ReturnsNeeded`.
    """
    order = cover_what_others_have(tx, order, now)
    if new.royalty_parameters:
        returns = named_returns(tx, order, new.royalty_parameters)
    else:
        returns = plan_returns(tx, order, new.amount)
        named = () if new.seller_covers else tuple(royalty_parameters(order, returns))
        new = replace(new, royalty_parameters=named)
    order = expect_returns(tx, order, new.out_request_no, returns, now)
    require_enough(tx, order, new.amount)
    if new.seller_covers:
        cover_returns(tx, order, new.out_request_no, now)
    return order, new


def _row_of(order: Order, new: NewRefund, now: datetime, due_at: datetime) -> dict[str, object]:
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
        "shift_id": new.shift_id,
        "requested_by": new.requested_by,
        "approved_by": new.approved_by,
        "royalty_parameters": [dict(row) for row in new.royalty_parameters] or None,
        "idempotency_key": new.idempotency_key,
        "calling": False,
        "call_count": 0,
        "ask_count": 0,
        "attempt": 1,
        # Should its job be lost for whatever reason, the sweep finds it here.
        "due_at": due_at,
        "created_at": now,
        "updated_at": now,
    }


def _require_within(tx: Tx, new: NewRefund, limit: Money, now: datetime) -> None:
    assert new.requested_by is not None
    store.lock_requester(tx, new.requested_by)
    used = store.requested_since(tx, new.requested_by, _midnight(now), new.amount.currency)
    if used + new.amount > limit:
        raise RefundLimitExceeded(new.amount, limit, used)


def _require_one_is_enough(tx: Tx, order: Order, new: NewRefund, now: datetime) -> None:
    """Slices count together: of one order, of one requester's day over all orders, of one shift."""
    if new.approved_by is not None:
        return
    merchant, currency = find_merchant_by_id(tx, order.merchant_id), new.amount.currency
    per_order, per_day = merchant.second_person_order_minor, merchant.second_person_day_minor
    if per_order is not None:
        used = store.unapproved_of_order(tx, order.id, currency)
        if (used + new.amount).minor > per_order:
            raise SecondPersonNeeded(new.amount, Money(per_order, currency), used)
    if per_day is not None and new.requested_by is not None:
        store.lock_requester(tx, new.requested_by)
        used = store.unapproved_since(tx, new.requested_by, _midnight(now), currency)
        if (used + new.amount).minor > per_day:
            raise SecondPersonNeeded(new.amount, Money(per_day, currency), used)
    per_shift = merchant.second_person_shift_minor
    if per_shift is not None and new.shift_id is not None:
        # Whoever hands the shift over, or asks for another refund in it, has locked its row.
        used = store.unapproved_of_shift(tx, new.shift_id, currency)
        if (used + new.amount).minor > per_shift:
            raise SecondPersonNeeded(new.amount, Money(per_shift, currency), used)


def _midnight(now: datetime) -> datetime:
    return now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
