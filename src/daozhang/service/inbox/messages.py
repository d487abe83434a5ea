"""Messages: what comes in by the same door and is about no trade of its own (protocol.md §6.8).

They are recorded like every notification. Then whoever in the house wants a kind takes it, and each is
announced once. A kind that nobody wants is kept and shown all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from daozhang.alipay.notifications import Notification
from daozhang.alipay.notify import read_again
from daozhang.service.db import Tx
from daozhang.service.inbox import store
from daozhang.service.inbox.events import MESSAGE_RECEIVED, MessageSnapshot
from daozhang.service.inbox.model import InboxStatus, RecordedNotification
from daozhang.service.inbox.recording import open_body
from daozhang.service.inbox.rules import MESSAGE
from daozhang.service.merchants.clients import Clients
from daozhang.service.outbox.actions import append_event
from daozhang.service.web.context import Context

UNWANTED = "kept; nobody in this house acts on this kind"
UNREADABLE = "kept; it cannot be read"


@dataclass(frozen=True, slots=True)
class MessageInHand:
    """A message as whoever takes it gets it: verified when it came, and recorded."""

    merchant_id: int
    notification: Notification
    received_at: datetime


Handler = Callable[[Tx, MessageInHand], str]
"""Takes a message in the transaction that marks it applied; answers what became of it, in words. It
may be called again for one it has taken, and must not use the network."""


@dataclass(frozen=True, slots=True)
class Messages:
    """Hands messages to those who want them, by Alipay's name for the kind."""

    context: Context
    clients: Clients
    handlers: Mapping[str, Handler]

    def take(
        self, tx: Tx, row: RecordedNotification, now: datetime, *, announces: bool = True
    ) -> None:
        """Applies one recorded message and announces it, unless that was done before."""
        name = row.kind.removeprefix(MESSAGE)
        outcome = UNWANTED
        handler = self.handlers.get(name)
        if handler is not None:
            message = MessageInHand(row.merchant_id, self.read(tx, row), row.received_at)
            outcome = handler(tx, message)
        store.update_notification(
            tx,
            row.id,
            status=InboxStatus.APPLIED.value,
            due_at=None,
            applied_at=now,
            outcome=outcome,
        )
        if not announces:
            return
        snapshot = MessageSnapshot(
            id=row.id,
            kind=name,
            notify_id=row.notify_id,
            received_at=row.received_at.isoformat(),
            outcome=outcome,
        )
        append_event(
            tx,
            merchant_id=row.merchant_id,
            environment=store.environment_of(tx, row.merchant_id),
            order_id=None,
            type=MESSAGE_RECEIVED,
            data={"message": snapshot.as_data()},
            now=now,
            signals=self.context.signals,
        )

    def read(self, tx: Tx, row: RecordedNotification) -> Notification:
        """What a recorded message says, its content decrypted if the app has the key for it."""
        found = store.find_message(tx, row.merchant_id, row.id)
        assert found is not None
        _, content_hash, sealed = found
        body = open_body(self.context, row, content_hash, sealed)
        merchant = self.clients.merchant(row.merchant_id)
        return read_again(body, encrypt_key=self.clients.encrypt_key_for(merchant))
