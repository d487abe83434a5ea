"""What runs later: new events become deliveries, and deliveries that are due are sent."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, Final

from daozhang.service.db import Tx
from daozhang.service.duty import Duty
from daozhang.service.outbox import store as outbox_store
from daozhang.service.outbox.actions import EVENTS
from daozhang.service.outbox.rules import HoldBack
from daozhang.service.web.context import Context
from daozhang.service.webhooks import queue, store
from daozhang.service.webhooks.actions import DELIVER_SIGNAL, delivery_row, keys_of
from daozhang.service.webhooks.drain import LEASE_SECONDS, Drain, Posting
from daozhang.service.webhooks.events import TEST
from daozhang.service.webhooks.model import Delivery, Endpoint
from daozhang.service.webhooks.signing import write_message

EVENTS_PER_ROUND: Final = 500

FAN_OUT_REST_SECONDS: Final = 0.05
"""Under load a few hundred events are fanned out at once; a lone one still goes out at once."""

UNHEARD_REST_SECONDS: Final = 1.0
"""How long where there is no endpoint. Each booked payment asks whether there is one by now."""


class FanOut(Duty):
    """Makes a delivery of each new event for each endpoint that wants it. Not in the transaction
    of the event: booking a payment does not wait for how many listen."""

    name = EVENTS
    is_awaited = True
    rest_seconds = FAN_OUT_REST_SECONDS

    def __init__(self, context: Context) -> None:
        self._context = context
        self._hold_back = HoldBack()

    def run_due(self) -> int:
        """Takes a batch of events, in order of their numbers, as one process at a time.

        Where nobody listens there is nothing to do, and events are not even read: the first
        endpoint begins after them (`webhooks.actions.add_endpoint`).
        """
        listened = self._has_endpoints()
        self.rest_seconds = FAN_OUT_REST_SECONDS if listened else UNHEARD_REST_SECONDS
        if not listened:
            return 0
        with self._context.database.begin() as tx:
            position = store.lock_fan_out(tx)
            if position is None:
                return 0
            running_from = outbox_store.running_from(tx)
            found = outbox_store.list_heads_after(tx, position, EVENTS_PER_ROUND)
            released = self._hold_back.release(
                found,
                running_from=running_from,
                started_before=outbox_store.started_before(tx),
            )
            if not released:
                return 0
            by_merchant: defaultdict[int, list[Endpoint]] = defaultdict(list)
            for endpoint in store.list_endpoints(tx):
                by_merchant[endpoint.merchant_id].append(endpoint)
            now = self._context.clock.now()
            rows: list[dict[str, Any]] = [
                delivery_row(
                    endpoint,
                    event.number,
                    event.id,
                    event.type,
                    event.order_id,
                    event.sequence,
                    now,
                )
                for event in released
                for endpoint in by_merchant[event.merchant_id]
                if event.type != TEST
                and event.number > endpoint.after_number
                and (not endpoint.types or event.type in endpoint.types)
            ]
            store.insert_deliveries(tx, rows)
            store.set_fan_out(tx, released[-1].number)
            tx.after_commit(lambda: self._context.signals.wake(DELIVER_SIGNAL))
        return len(released)

    def next_due(self) -> datetime | None:
        """At once, if there are events without deliveries."""
        if not self._has_endpoints():
            return None
        with self._context.database.read() as tx:
            waits = store.has_fan_out_to_do(tx)
        return self._context.clock.now() if waits else None

    def _has_endpoints(self) -> bool:
        with self._context.database.read() as tx:
            return store.has_endpoints(tx)


class Deliver(Duty):
    """Claims what is due, as far as each endpoint has places, and gives it to the drain."""

    name = DELIVER_SIGNAL
    is_awaited = True

    def __init__(self, context: Context, drain: Drain) -> None:
        self._context = context
        self._drain = drain

    def run_due(self) -> int:
        """Claims for every endpoint; how many deliveries are sent."""
        now = self._context.clock.now()
        with self._context.database.read() as tx:
            due = [endpoint for endpoint, at in queue.list_waiting(tx) if at <= now]
        places = {endpoint.id: self._drain.free_places(endpoint) for endpoint in due}
        if not any(places.values()):
            return 0
        lease_until = now + timedelta(seconds=LEASE_SECONDS)
        claimed: list[tuple[Endpoint, Delivery]] = []
        with self._context.database.begin() as tx:
            for endpoint in due:
                if places[endpoint.id]:
                    own = queue.claim_due(tx, endpoint.id, now, lease_until, places[endpoint.id])
                    claimed += [(endpoint, delivery) for delivery in own]
            postings = self._write(tx, claimed, now) if claimed else []
        self._drain.send(postings)
        return len(postings)

    def next_due(self) -> datetime | None:
        """When the next delivery that is not held back is due. An endpoint without free places is
        left out: the drain wakes us when it has some again."""
        with self._context.database.read() as tx:
            waiting = queue.list_waiting(tx)
        return min((at for one, at in waiting if self._drain.free_places(one)), default=None)

    def _write(
        self, tx: Tx, claimed: list[tuple[Endpoint, Delivery]], now: datetime
    ) -> list[Posting]:
        events = outbox_store.find_events(tx, [delivery.event_number for _, delivery in claimed])
        keys = {
            endpoint.id: keys_of(tx, self._context.sealer, endpoint, now)
            for endpoint in {endpoint.id: endpoint for endpoint, _ in claimed}.values()
        }
        postings: list[Posting] = []
        for endpoint, delivery in claimed:
            event = events[delivery.event_number]
            message = write_message(event, endpoint.format, keys[endpoint.id], now)
            postings.append(Posting(delivery, endpoint, event.environment, message))
        return postings
