"""The one verb of the outbox: to append an event to the change that it tells of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from daozhang.service.db import Tx
from daozhang.service.ids import new_id
from daozhang.service.outbox import store
from daozhang.service.outbox.model import API_VERSION, Event, NewEvent
from daozhang.service.signals import Signals

EVENTS: Final = "events"
"""The signal by which streams of this process look at once. They look by themselves anyway."""


def append_event(
    tx: Tx,
    *,
    merchant_id: int,
    environment: str,
    order_id: int | None,
    type: str,  # noqa: A002 - the word that the event itself uses
    data: Mapping[str, Any],
    now: datetime,
    signals: Signals | None = None,
    subject: str | None = None,
) -> Event:
    """Writes an event into the transaction of the change: both are on disk, or neither is.

    The caller holds the lock of the order, which is what keeps ``sequence`` without gap or
    double. With ``signals``, streams of this process are woken after the commit; without, they
    see the event at their next look. ``subject`` names what an event without an order is about.
    """
    sequence = None if order_id is None else store.last_sequence(tx, order_id) + 1
    event = store.insert_event(
        tx,
        {
            "id": new_id("evt", now),
            "merchant_id": merchant_id,
            "environment": environment,
            "order_id": order_id,
            "sequence": sequence,
            "type": type,
            "api_version": API_VERSION,
            "data": dict(data),
            "created_at": now,
        },
    )
    if subject is not None:
        store.insert_subject(tx, event, subject)
    if signals is not None:
        tx.after_commit(lambda: signals.wake(EVENTS))
    return event


def append_events(tx: Tx, new: Sequence[NewEvent], signals: Signals) -> None:
    """Writes many events in one statement; as for `append_event`, their orders are locked."""
    if not new:
        return
    rows = [
        {
            "id": new_id("evt", event.created_at),
            "merchant_id": event.merchant_id,
            "environment": event.environment,
            "order_id": event.order_id,
            "sequence": event.sequence,
            "type": event.type,
            "api_version": API_VERSION,
            "data": event.data,
            "created_at": event.created_at,
        }
        for event in new
    ]
    store.insert_events(tx, rows)
    tx.after_commit(lambda: signals.wake(EVENTS))
