"""Asking for a settlement to be confirmed: the intent, before any call."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.model import Merchant
from daozhang.service.merchants.outgoing import require_outgoing
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.orders.model import Order
from daozhang.service.settlements import store
from daozhang.service.settlements.model import NewSettlement, Settlement, SettlementStatus
from daozhang.service.settlements.refusals import (
    NotDirectPay,
    OrderNotSettleable,
    SettlementConfirmed,
    SettlementConflict,
    SettlementUnderWay,
    SettlementWaits,
)
from daozhang.service.sharing.requesting import SHAREABLE
from daozhang.service.sweep import enqueue_step

LEASE_SECONDS: Final = 120
"""After this a settlement is due again whose attempt died unseen."""

SETTLEMENT_JOB: Final = "settlement"
"""The name under which attempts at settlements wait in the queue."""

SETTLEMENTS_SIGNAL: Final = "settlements"
"""Wakes the sweep over due settlements, in this process."""


def request_settlement(
    tx: Tx, jobs: Jobs, order: Order, new: NewSettlement, actor: Actor, now: datetime
) -> tuple[Settlement, bool]:
    """The settlement of that number on a locked order, and whether it is new.

    The intent is written and its first attempt put on the queue, in this transaction: what is confirmed is all
    that is left of the payment now. The same number and content again gives the one that is there. Raises
    `SettlementConflict`, `OutgoingStopped` and what `require_settleable` raises.
    """
    known = store.find_settlement(tx, order.environment, order.seller_id, new.out_request_no)
    if known is not None:
        if (known.order_id, known.freezes) != (order.id, new.freezes):
            raise SettlementConflict(known)
        return known, False
    merchant = find_merchant_by_id(tx, order.merchant_id)
    require_settleable(merchant, order, store.list_settlements(tx, order.id))
    # Once it is settled it cannot be held back any more: the switch stops it, too.
    require_outgoing(tx, order.merchant_id)
    settlement_id = store.insert_settlement(tx, _row_of(order, new, now))
    if settlement_id is None:  # at the same moment, for another payment: theirs is the one
        theirs = store.find_settlement(tx, order.environment, order.seller_id, new.out_request_no)
        assert theirs is not None
        raise SettlementConflict(theirs)
    enqueue_step(tx, jobs, SETTLEMENT_JOB, 1, {"settlement_id": settlement_id}, merchant.app_row)
    made = store.read_settlement(tx, settlement_id)
    record(
        tx,
        actor,
        "settlement.requested",
        f"order:{order.out_trade_no}",
        now,
        merchant_id=order.merchant_id,
        out_request_no=made.out_request_no,
        amount=str(made.amount),
    )
    return made, True


def require_settleable(merchant: Merchant, order: Order, known: list[Settlement]) -> None:
    """Returns if the settlement of a payment can be confirmed now. Raises `NotDirectPay`,
    `OrderNotSettleable`, `SettlementUnderWay`, `SettlementConfirmed` or `SettlementWaits`."""
    if not merchant.direct_pay:
        raise NotDirectPay
    for one in known:
        if one.is_open:
            raise SettlementUnderWay(one)
        if one.status is SettlementStatus.CONFIRMED:
            raise SettlementConfirmed(one)
    if order.status not in SHAREABLE or order.trade_no is None:
        raise OrderNotSettleable(order)
    if order.reserved:
        raise SettlementWaits(order.reserved)


def _row_of(order: Order, new: NewSettlement, now: datetime) -> dict[str, Any]:
    amount = order.amount - order.refunded
    return {
        "order_id": order.id,
        "merchant_id": order.merchant_id,
        "environment": order.environment,
        "seller_id": order.seller_id,
        "out_request_no": new.out_request_no,
        "status": SettlementStatus.REQUESTED.value,
        "amount_minor": amount.minor,
        "currency": amount.currency,
        "freezes": new.freezes,
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
