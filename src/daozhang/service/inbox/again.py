"""Applying a notification again, because a person asks for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from daozhang.alipay.errors import Untrusted
from daozhang.alipay.notify import read_again
from daozhang.service.audit.actions import record
from daozhang.service.db import Tx
from daozhang.service.inbox import store
from daozhang.service.inbox.applying import apply_one
from daozhang.service.inbox.messages import Messages
from daozhang.service.inbox.model import SETTLED_STATUSES, InboxStatus, RecordedNotification
from daozhang.service.inbox.recording import open_body
from daozhang.service.inbox.refusals import NotificationForgotten, NotificationNotFound
from daozhang.service.inbox.rules import MESSAGE, fact_of, fact_to_json
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require


def apply_again(
    messages: Messages, actor: Person, merchant_id: int, notification_id: int
) -> RecordedNotification:
    """Applies a recorded notification once more, and returns what became of it.

    It goes by the same door as the first time, so what the books hold already changes nothing and is
    announced to nobody; what waited, or was given to a person, gets another chance. What lacks an
    identity is confirmed by a query first. Raises `NotificationNotFound`, `NotificationForgotten`.
    """
    require(actor, Right.NOTIFICATIONS_APPLY, merchant_id)
    context = messages.context
    now = context.clock.now()
    with context.database.begin() as tx:
        found = store.find_notification(tx, merchant_id, notification_id)
        if found is None:
            raise NotificationNotFound(notification_id)
        row, content_hash, sealed = found
        if not row.has_body:
            raise NotificationForgotten
        if row.kind.startswith(MESSAGE):
            messages.take(tx, row, now, announces=row.status not in SETTLED_STATUSES)
        else:
            body = open_body(context, row, content_hash, sealed)
            anew = _read_anew(messages, row, body, now)
            kept = None if anew.fact is None else fact_to_json(anew.fact)
            store.update_notification(tx, row.id, fact=kept, attempts=0)
            apply_one(tx, context, anew, now)
        after = _found(tx, row)
        record(
            tx,
            actor.actor,
            "notification.applied_again",
            f"notification:{row.id}",
            now,
            merchant_id=merchant_id,
            out_trade_no=row.out_trade_no,
            before=row.status.value,
            after=after.status.value,
        )
    return after


def _read_anew(
    messages: Messages, row: RecordedNotification, body: bytes, now: datetime
) -> RecordedNotification:
    """``row`` with what its bytes say to the code of today. What was settled keeps no fact, and what
    nobody understood may be understood now."""
    try:
        fact = fact_of(read_again(body), messages.clients.merchant(row.merchant_id), now)
    except Untrusted:
        fact = row.fact
    # As if it came now: a confirmation is asked for anew, and it may wait for its order once more.
    return replace(row, fact=fact, status=InboxStatus.RECEIVED, received_at=now)


def _found(tx: Tx, row: RecordedNotification) -> RecordedNotification:
    found = store.find_notification(tx, row.merchant_id, row.id)
    assert found is not None, "notifications are never deleted"
    return found[0]
