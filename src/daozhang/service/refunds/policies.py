"""What the merchant has decided beforehand: about late payments, and about carts paid twice.

"refund" gives the money back at once, by the same intent as any refund; "person" hands it to
somebody; "fulfil" leaves it to the event that was announced (money.md §1, §4).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from daozhang.service.db import Tx
from daozhang.service.merchants.model import DuplicatePolicy, LatePolicy
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.orders.actions import raise_surprise
from daozhang.service.orders.model import Order, OrderStatus
from daozhang.service.orders.rules import DUPLICATE, PAID_LATE, SURPRISE
from daozhang.service.refunds.model import BY_POLICY, NewRefund
from daozhang.service.refunds.requesting import request_refund

POLICY_EVENTS: Final = frozenset({PAID_LATE, DUPLICATE})
"""What a merchant has a policy about."""


def apply_policies(tx: Tx, order: Order, events: Collection[str], now: datetime) -> tuple[str, ...]:
    """Does what the merchant's policies say about a locked order; what is to be announced more."""
    reasons = [name for name in (PAID_LATE, DUPLICATE) if name in events]
    if order.status is not OrderStatus.PAID:
        return ()
    merchant = find_merchant_by_id(tx, order.merchant_id)
    late, twice = merchant.late_policy, merchant.duplicate_policy
    refunds = (PAID_LATE in reasons and late is LatePolicy.REFUND) or (
        DUPLICATE in reasons and twice is DuplicatePolicy.REFUND_LATER
    )
    # Where a fact did not fit, nothing moves by itself: it is for a person, whatever the policy.
    if refunds and not order.attention and order.remainder:
        _refund(tx, order, reasons[0], now)
        return ()
    wants_person = (PAID_LATE in reasons and late is not LatePolicy.FULFIL) or (
        DUPLICATE in reasons and twice is DuplicatePolicy.PERSON
    )
    return (SURPRISE,) if wants_person and _ask_person(tx, order, reasons[0], now) else ()


def _refund(tx: Tx, order: Order, reason: str, now: datetime) -> None:
    new = NewRefund(
        out_request_no=policy_refund_number(order),
        amount=order.remainder,
        reason=reason,
        requested_by=BY_POLICY,
    )
    # A payment is booked whatever the switch says; the refund waits until money may go out again.
    request_refund(tx, None, order, new, now, may_wait=True)


def policy_refund_number(order: Order) -> str:
    """The number of the one refund that a policy asks for: the same each time."""
    return f"auto-{order.id}"


def _ask_person(tx: Tx, order: Order, reason: str, now: datetime) -> bool:
    return raise_surprise(
        tx,
        merchant_id=order.merchant_id,
        order=order,
        reason=reason.replace(".", "_"),
        detail=f"the policy for {reason} is to ask a person",
        amount=order.amount,
        now=now,
    )
