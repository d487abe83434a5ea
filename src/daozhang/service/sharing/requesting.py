"""Asking for shares: the intent, before any call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from daozhang.clock import BEIJING
from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.model import Merchant
from daozhang.service.merchants.outgoing import require_outgoing
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.orders.actions import set_aside
from daozhang.service.orders.model import Order, OrderStatus
from daozhang.service.sharing import register, rules, store
from daozhang.service.sharing.model import (
    Mode,
    NewRound,
    Receiver,
    ReceiverStatus,
    Round,
    RoundStatus,
    ShareStatus,
)
from daozhang.service.sharing.refusals import (
    OrderNotShareable,
    ReceiverNotBound,
    ShareConflict,
    ShareExceedsLimit,
    ShareNeedsSecondPerson,
    SharingFinished,
    TooManyShares,
)
from daozhang.service.sweep import enqueue_step

LEASE_SECONDS: Final = 120
"""After this a round is due again whose attempt died unseen."""

SHARE_JOB: Final = "share"
"""The name under which attempts at rounds wait in the queue."""

SHARES_SIGNAL: Final = "shares"
"""Wakes the sweep over due rounds, in this process."""

RETURNS_SIGNAL: Final = "share_returns"
"""Wakes the duty that asks what came back of shares, in this process."""

SHAREABLE: Final = (OrderStatus.PAID, OrderStatus.FINISHED)


def request_shares(
    tx: Tx, jobs: Jobs | None, order: Order, new: NewRound, now: datetime, *, may_wait: bool = False
) -> tuple[Round, bool]:
    """The round of that number on a locked order, and whether it is new.

    The intent is written, its amount set aside on the order's one remainder and its first attempt put on
    the queue, all in this transaction. Without ``jobs`` the sweep puts it there, at once. The same number
    and content again gives the round that is there. Where outgoing money is stopped it is refused, or, if
    it ``may_wait``, kept until the switch allows it. Raises `ShareConflict`, `OrderNotShareable`,
    `SharingFinished`, `TooManyShares`, `ReceiverNotBound`, `ShareExceedsLimit`, `AmountExceedsRemainder`,
    `OutgoingStopped` and `ShareNeedsSecondPerson`.
    """
    known = store.find_round(tx, order.environment, order.seller_id, new.out_request_no)
    if known is not None:
        if not _is_same(tx, order, known, new):
            raise ShareConflict(known)
        return known, False
    merchant = find_merchant_by_id(tx, order.merchant_id)
    total = Money.total((amount for _, amount in new.shares), order.amount.currency)
    receivers = require_shareable(tx, merchant, order, new, total)
    if not may_wait:
        require_outgoing(tx, order.merchant_id)
        _require_one_is_enough(tx, merchant, order, new, total, now)
    if total:
        set_aside(tx, order, total, now)
    due_at = now if jobs is None else now + timedelta(seconds=LEASE_SECONDS)
    round_id = store.insert_round(
        tx, _row_of(order, new, total, now, due_at), _parts_of(order, new, receivers)
    )
    if round_id is None:  # at the same moment, for another order: theirs is the one
        theirs = store.find_round(tx, order.environment, order.seller_id, new.out_request_no)
        assert theirs is not None
        raise ShareConflict(theirs)
    if jobs is not None:
        enqueue_step(tx, jobs, SHARE_JOB, 1, {"round_id": round_id}, merchant.app_row)
    made = store.find_round_by_id(tx, round_id)
    assert made is not None
    return made, True


def _is_same(tx: Tx, order: Order, known: Round, new: NewRound) -> bool:
    there = [(s.account, s.amount) for s in store.list_shares_of_round(tx, known.id)]
    same = (known.order_id, known.mode, known.finishes) == (order.id, new.mode, new.finishes)
    return same and there == list(new.shares)


def require_shareable(
    tx: Tx, merchant: Merchant, order: Order, new: NewRound, total: Money
) -> list[Receiver]:
    """Who receives, if nothing stands in the way; else what `request_shares` raises."""
    if order.status not in SHAREABLE or order.trade_no is None:
        raise OrderNotShareable(order)
    rounds = [r for r in store.list_rounds(tx, order.id) if r.status is not RoundStatus.FAILED]
    if any(r.finishes for r in rounds):
        raise SharingFinished(order)
    most = rules.SHARES_MAX_ASYNC if new.mode is Mode.ASYNC else rules.SHARES_MAX_SYNC
    accounts = {account for account, _ in new.shares}
    count = len(new.shares)
    if not (count or new.finishes) or count > most or len(accounts) != count:
        raise TooManyShares(most, count)
    receivers = [_bound(tx, order.merchant_id, account) for account, _ in new.shares]
    shared = shared_of(tx, order)
    limit = rules.limit_of(order.amount, merchant.share_percent_max)
    if total and shared + total > limit:
        raise ShareExceedsLimit(total, limit, shared, merchant.share_percent_max)
    return receivers


def _bound(tx: Tx, merchant_id: int, account: str) -> Receiver:
    receiver = register.find_receiver(tx, merchant_id, account)
    if receiver is None or receiver.status is not ReceiverStatus.BOUND:
        raise ReceiverNotBound(account, receiver)
    return receiver


def shared_of(tx: Tx, order: Order) -> Money:
    """What is shared of an order or about to be, and has not come back."""
    held = (
        share.amount if share.status is ShareStatus.PENDING else share.outstanding + share.returning
        for share in store.list_shares(tx, order.id)
        if share.status is not ShareStatus.FAILED
    )
    return Money.total(held, order.amount.currency)


def _require_one_is_enough(
    tx: Tx, merchant: Merchant, order: Order, new: NewRound, total: Money, now: datetime
) -> None:
    """Slices count together: of one order, and of one requester's day over all orders."""
    if new.approved_by is not None:
        return
    per_order, per_day = merchant.second_person_order_minor, merchant.second_person_day_minor
    if per_order is not None:
        used = store.unapproved_of_order(tx, order.id, total.currency)
        if (used + total).minor > per_order:
            raise ShareNeedsSecondPerson(total, Money(per_order, total.currency), used)
    if per_day is not None and new.requested_by is not None:
        store.lock_requester(tx, new.requested_by)
        midnight = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
        used = store.unapproved_since(tx, new.requested_by, midnight, total.currency)
        if (used + total).minor > per_day:
            raise ShareNeedsSecondPerson(total, Money(per_day, total.currency), used)


def _row_of(
    order: Order, new: NewRound, total: Money, now: datetime, due_at: datetime
) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "merchant_id": order.merchant_id,
        "environment": order.environment,
        "seller_id": order.seller_id,
        "out_request_no": new.out_request_no,
        "status": RoundStatus.REQUESTED.value,
        "mode": new.mode.value,
        "amount_minor": total.minor,
        "currency": total.currency,
        "finishes": new.finishes,
        "returns": new.returns.value,
        "plan": new.plan,
        "description": new.description,
        "requested_by": new.requested_by,
        "approved_by": new.approved_by,
        "calling": False,
        "call_count": 0,
        "ask_count": 0,
        "attempt": 1,
        # Should its job be lost for whatever reason, the sweep finds it here.
        "due_at": due_at,
        "created_at": now,
        "updated_at": now,
    }


def _parts_of(order: Order, new: NewRound, receivers: Sequence[Receiver]) -> list[dict[str, Any]]:
    return [
        {
            "order_id": order.id,
            "position": position,
            "receiver_type": receiver.type.value,
            "account": account,
            "amount_minor": amount.minor,
            "currency": amount.currency,
            "status": ShareStatus.PENDING.value,
            "returned_minor": 0,
            "returning_minor": 0,
            "covered_minor": 0,
        }
        for position, ((account, amount), receiver) in enumerate(
            zip(new.shares, receivers, strict=True)
        )
    ]
