"""Applying what was recorded: in batches that share a commit, one poisoned row set apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.duty import Duty
from daozhang.service.inbox import store
from daozhang.service.inbox.messages import Messages
from daozhang.service.inbox.model import InboxStatus, RecordedNotification
from daozhang.service.inbox.recording import CONFIRM_SIGNAL, INBOX_SIGNAL
from daozhang.service.inbox.rules import (
    CLAIM_ORDER_SECONDS,
    MESSAGE,
    RETRY_DELAYS_SECONDS,
    agrees,
)
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.meter import APPLY_SECONDS
from daozhang.service.orders.actions import lock_order, raise_surprise
from daozhang.service.orders.events import snapshot_of
from daozhang.service.orders.model import Order
from daozhang.service.orders.rules import SURPRISE
from daozhang.service.orders.store import find_order_of_merchant
from daozhang.service.outbox.actions import append_event
from daozhang.service.refunds.settling import settle_fact
from daozhang.service.web.context import Context

BATCH_NOTIFICATIONS: Final = 64
LEASE_SECONDS: Final = 60

log = structlog.get_logger(__name__)


class ApplyNotifications(Duty):
    """Turns recorded notifications into settled facts, many in one commit."""

    name = INBOX_SIGNAL
    is_awaited = True

    def __init__(self, context: Context, messages: Messages) -> None:
        """``messages`` takes what is no trade's notification."""
        self._context = context
        self._messages = messages

    def run_due(self) -> int:
        """Applies one batch; returns how many rows it took."""
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            lease_until = now + timedelta(seconds=LEASE_SECONDS)
            rows = store.claim_due(tx, InboxStatus.RECEIVED, now, lease_until, BATCH_NOTIFICATIONS)
        self._apply(rows, now)
        return len(rows)

    def next_due(self) -> datetime | None:
        """When the earliest recorded notification is due."""
        with self._context.database.read() as tx:
            return store.earliest_due(tx, InboxStatus.RECEIVED)

    def _apply(self, rows: Sequence[RecordedNotification], now: datetime) -> None:
        """Applies ``rows`` in one commit; if that fails, in halves, down to the one that does."""
        if not rows:
            return
        try:
            with self._context.database.begin() as tx:
                for row in rows:
                    if row.kind.startswith(MESSAGE):
                        self._messages.take(tx, row, now)
                    else:
                        _apply_one(tx, self._context, row, now)
        except Exception as error:  # noqa: BLE001 - one bad row must not stop the others; it is kept
            if len(rows) > 1:
                middle = len(rows) // 2
                self._apply(rows[:middle], now)
                self._apply(rows[middle:], now)
            else:
                _try_later(self._context, rows[0], now, error)


class ClaimOrders(Duty):
    """Hands notifications on that came before their order did, once there is one.

    That is rare, and orders are made all the time: it looks a few times a second at most.
    """

    name = "inbox_waiting"
    rest_seconds = 0.3

    def __init__(self, context: Context) -> None:
        self._context = context

    def run_due(self) -> int:
        """Makes those due that have found their order; returns how many."""
        with self._context.database.read() as tx:
            if not store.is_any_waiting(tx):
                return 0
        with self._context.database.begin() as tx:
            found = store.wake_waiting(tx, self._context.clock.now(), BATCH_NOTIFICATIONS)
            tx.after_commit(lambda: self._context.signals.wake(INBOX_SIGNAL))
        return found

    def next_due(self) -> datetime | None:
        """Never by itself: an order has to be made."""
        return None


class ConfirmNotifications(Duty):
    """Asks Alipay about notifications that lack an identity, then applies or surprises."""

    name = CONFIRM_SIGNAL
    is_awaited = True

    def __init__(self, inquirer: Inquirer) -> None:
        self._inquirer = inquirer
        self._context = inquirer.context

    def run_due(self) -> int:
        """Confirms a few; returns how many rows it took."""
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            rows = store.claim_due(
                tx, InboxStatus.CONFIRMING, now, now + timedelta(seconds=LEASE_SECONDS), 8
            )
        for row in rows:
            try:
                self._confirm(row, now)
            except Exception as error:  # noqa: BLE001 - as above: the others go on, it is kept
                _try_later(self._context, row, now, error)
        return len(rows)

    def next_due(self) -> datetime | None:
        """When the earliest confirmation is due."""
        with self._context.database.read() as tx:
            return store.earliest_due(tx, InboxStatus.CONFIRMING)

    def _confirm(self, row: RecordedNotification, now: datetime) -> None:
        with self._context.database.read() as tx:
            order = _order_of(tx, row)
        if order is None:
            with self._context.database.begin() as tx:
                _apply_one(tx, self._context, row, now)
            return
        answer = self._inquirer.ask_trade(order)
        with self._context.database.begin() as tx:
            if answer is None:
                self._ask_later(tx, row, now)
            elif row.fact is not None and agrees(row.fact, answer):
                _apply_one(tx, self._context, row, now)
            else:
                detail = f"the query says {answer.kind.value} of trade {answer.trade_no}"
                _surprise(tx, self._context, row, "notification_contradicted", detail, now)

    def _ask_later(self, tx: Tx, row: RecordedNotification, now: datetime) -> None:
        step = min(row.attempts, len(RETRY_DELAYS_SECONDS) - 1)
        due_at = now + timedelta(seconds=RETRY_DELAYS_SECONDS[step])
        store.update_notification(tx, row.id, attempts=row.attempts + 1, due_at=due_at)


class UnclaimedNotifications(Duty):
    """Tells a person about notifications whose order has not come to be within an hour."""

    name = "inbox_unclaimed"

    def __init__(self, context: Context) -> None:
        self._context = context

    def run_due(self) -> int:
        """Raises the surprises that are due; returns how many."""
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            rows = store.claim_due(tx, InboxStatus.WAITING, now, now, BATCH_NOTIFICATIONS)
            for row in rows:
                # It stays waiting, and is applied should its order still come to be.
                store.update_notification(tx, row.id, due_at=None)
                _surprise(
                    tx, self._context, row, "payment_without_order", row.kind, now, ends=False
                )
        return len(rows)

    def next_due(self) -> datetime | None:
        """When the earliest of them will have waited for an hour."""
        with self._context.database.read() as tx:
            return store.earliest_due(tx, InboxStatus.WAITING)


def _apply_one(tx: Tx, context: Context, row: RecordedNotification, now: datetime) -> None:
    """Applies one notification, lets it wait for its order, or hands it to a person."""
    if row.fact is None:
        _surprise(tx, context, row, "notification_not_understood", row.kind, now)
        return
    found = _order_of(tx, row)
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
        tx.after_commit(lambda: context.signals.wake(ConfirmNotifications.name))
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


def _order_of(tx: Tx, row: RecordedNotification) -> Order | None:
    """The order that a notification names, if there is one. A message names a hold or an agreement."""
    if row.out_trade_no is None or row.kind.startswith(MESSAGE):
        return None
    return find_order_of_merchant(tx, row.merchant_id, row.out_trade_no)


def _try_later(
    context: Context, row: RecordedNotification, now: datetime, error: Exception
) -> None:
    """Keeps a row that could not be applied for another try; after the last one it is for a
    person."""
    log.error("notification_not_applied", notification_id=row.id, exc_info=error)
    reason = f"{type(error).__name__}: {error}"[:500]
    with context.database.begin() as tx:
        if row.attempts < len(RETRY_DELAYS_SECONDS):
            delay = timedelta(seconds=RETRY_DELAYS_SECONDS[row.attempts])
            store.update_notification(
                tx, row.id, attempts=row.attempts + 1, due_at=now + delay, outcome=reason
            )
        else:
            _surprise(tx, context, row, "notification_not_applicable", reason, now)


def _surprise(
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
    found = _order_of(tx, row)
    is_new = raise_surprise(
        tx,
        merchant_id=row.merchant_id,
        order=found,
        out_trade_no=row.out_trade_no,
        reason=reason,
        detail=f"notification {row.notify_id}: {detail}",
        amount=(row.fact.total if row.fact is not None else None) or Money.zero(),
        now=now,
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
