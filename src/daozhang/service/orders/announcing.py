"""Announcing: what happened to an order goes out as an event, in the transaction in which it happened."""

from __future__ import annotations

from datetime import datetime

from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.orders.actions import lock_order, raise_surprise
from daozhang.service.orders.events import snapshot_of
from daozhang.service.orders.model import Order
from daozhang.service.orders.rules import SURPRISE
from daozhang.service.outbox.actions import append_event
from daozhang.service.web.context import Context


def announce(
    tx: Tx, context: Context, order: Order, name: str, now: datetime, **body: object
) -> None:
    """Appends an event about a locked order: as the order stands, and ``body``."""
    append_event(
        tx,
        merchant_id=order.merchant_id,
        environment=order.environment,
        order_id=order.id,
        type=name,
        data={"order": snapshot_of(order), **body},
        now=now,
        signals=context.signals,
    )


def tell_person(
    tx: Tx,
    context: Context,
    order: Order,
    reason: str,
    detail: str,
    amount: Money,
    now: datetime,
    **body: object,
) -> None:
    """Writes a surprise about a locked order for a person, and announces it; once, while it is open."""
    is_new = raise_surprise(
        tx,
        merchant_id=order.merchant_id,
        order=order,
        reason=reason,
        detail=detail,
        amount=amount,
        now=now,
    )
    if is_new:
        # As it stands now: it has ``attention``.
        announce(tx, context, lock_order(tx, order.id), SURPRISE, now, **body)
