"""Applying one recorded notification: to its order, by the one door; else it waits, or a person is told."""

from __future__ import annotations

from datetime import datetime, timedelta

from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.inbox import store
from daozhang.service.inbox.model import InboxStatus, RecordedNotification
from daozhang.service.inbox.recording import CONFIRM_SIGNAL
from daozhang.service.inbox.rules import CLAIM_ORDER_SECONDS, MESSAGE
from daozhang.service.meter import APPLY_SECONDS
from daozhang.service.orders.actions import lock_order, raise_surprise
from daozhang.service.orders.events import snapshot_of
from daozhang.service.orders.model import Order
from daozhang.service.orders.rules import SURPRISE
from daozhang.service.orders.store import find_order_of_merchant
from daozhang.service.outbox.actions import append_event
from daozhang.service.refunds.settling import settle_fact
from daozhang.service.web.context import Context


def apply_one(tx: Tx, context: Context, row: RecordedNotification, now: datetime) -> None:
    """Applies one notification, lets it wait for its order, or hands it to a person."""
    if row.fact is None:
        tell_person(tx, context, row, "notification_not_understood", row.kind, now)
        return
    found = order_of(tx, row)
    if found is None:
        due_at = row.received_at + timedelta(seconds=CLAIM_ORDER_SECONDS)
        store.update_notification(
            tx, row.id, status=InboxStatus.WAITING.value, due_at=max(due_at, now)
        )
        return
    lacks_identity = row.fact.app_id is None or row.fact.seller_id is None
    if lacks_identity and row.status is not InboxStatus.CONFIRMING:
        # It had waited for its order; now there is one to ask about.
        store.update_notification(tx, row.id, status=InboxStatus.CONFIRMING.value, due_at=now)
        tx.after_commit(lambda: context.signals.wake(CONFIRM_SIGNAL))
        return
    order = lock_order(tx, found.id)
    settlement = settle_fact(tx, context, order, row.fact)
    surprised = settlement.surprise is not None
    status = InboxStatus.SURPRISED if surprised else InboxStatus.APPLIED
    before, after = settlement.before.status.value, settlement.order.status.value
    store.update_notification(
        tx,
        row.id,
        status=status.value,
        due_at=None,
        applied_at=now,
        outcome=settlement.surprise or f"{before} -> {after}",
    )
    tx.after_commit(lambda: _note_seconds(context, row))


def _note_seconds(context: Context, row: RecordedNotification) -> None:
    seconds = (context.clock.now() - row.received_at).total_seconds()
    context.meter.observe(APPLY_SECONDS, seconds)


def order_of(tx: Tx, row: RecordedNotification) -> Order | None:
    """The order that a notification names, if there is one. A message names a hold or an agreement."""
    if row.out_trade_no is None or row.kind.startswith(MESSAGE):
        return None
    return find_order_of_merchant(tx, row.merchant_id, row.out_trade_no)


def tell_person(
    tx: Tx,
    context: Context,
    row: RecordedNotification,
    reason: str,
    detail: str,
    now: datetime,
    *,
    ends: bool = True,
) -> None:
    """Hands a notification to a person, and announces that once."""
    found = order_of(tx, row)
    is_new = raise_surprise(
        tx,
        merchant_id=row.merchant_id,
        order=found,
        out_trade_no=row.out_trade_no,
        reason=reason,
        detail=f"notification {row.notify_id}: {detail}",
        amount=(row.fact.total if row.fact is not None else None) or Money.zero(),
        now=now,
        notification_id=row.id,
    )
    if is_new:
        order = None if found is None else lock_order(tx, found.id)
        append_event(
            tx,
            merchant_id=row.merchant_id,
            environment=store.environment_of(tx, row.merchant_id),
            order_id=None if order is None else order.id,
            type=SURPRISE,
            data={
                "order": None if order is None else snapshot_of(order),
                "surprise": {"out_trade_no": row.out_trade_no, "reason": reason},
            },
            now=now,
            signals=context.signals,
        )
    if ends:
        store.update_notification(
            tx, row.id, status=InboxStatus.SURPRISED.value, due_at=None, outcome=reason
        )
