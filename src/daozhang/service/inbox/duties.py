"""Applying what was recorded: in batches that share a commit, one poisoned row set apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from daozhang.service.db import Tx
from daozhang.service.duty import Duty
from daozhang.service.inbox import store
from daozhang.service.inbox.applying import apply_one, order_of, tell_person
from daozhang.service.inbox.messages import Messages
from daozhang.service.inbox.model import InboxStatus, RecordedNotification
from daozhang.service.inbox.recording import CONFIRM_SIGNAL, INBOX_SIGNAL
from daozhang.service.inbox.rules import (
    MESSAGE,
    RETRY_DELAYS_SECONDS,
    agrees,
)
from daozhang.service.inquiries.actions import Inquirer
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
                        apply_one(tx, self._context, row, now)
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
    knows_no_time = True

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
            order = order_of(tx, row)
        if order is None:
            with self._context.database.begin() as tx:
                apply_one(tx, self._context, row, now)
            return
        answer = self._inquirer.ask_trade(order)
        with self._context.database.begin() as tx:
            if answer is None:
                self._ask_later(tx, row, now)
            elif row.fact is not None and agrees(row.fact, answer):
                apply_one(tx, self._context, row, now)
            else:
                detail = f"the query says {answer.kind.value} of trade {answer.trade_no}"
                tell_person(tx, self._context, row, "notification_contradicted", detail, now)

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
                tell_person(
                    tx, self._context, row, "payment_without_order", row.kind, now, ends=False
                )
        return len(rows)

    def next_due(self) -> datetime | None:
        """When the earliest of them will have waited for an hour."""
        with self._context.database.read() as tx:
            return store.earliest_due(tx, InboxStatus.WAITING)


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
            tell_person(tx, context, row, "notification_not_applicable", reason, now)
