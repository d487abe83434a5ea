"""The verbs of an endpoint: add, change, rotate, switch on and off, send again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daozhang.service.audit.actions import record
from daozhang.service.db import Tx
from daozhang.service.ids import new_id
from daozhang.service.orders.actions import read_order
from daozhang.service.outbound import AddressNotAllowed, check_address
from daozhang.service.outbox.actions import append_event
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.seal import Sealer
from daozhang.service.web.context import Context
from daozhang.service.webhooks import store
from daozhang.service.webhooks.events import TEST
from daozhang.service.webhooks.model import (
    Delivery,
    DeliveryStatus,
    Endpoint,
    EndpointStatus,
    Format,
    Parked,
)
from daozhang.service.webhooks.refusals import (
    DeliveryNotFound,
    EndpointAddressNotAllowed,
    EndpointNotFound,
    EndpointOff,
)
from daozhang.service.webhooks.signing import Keys, new_secret

DELIVER_SIGNAL: Final = "webhooks"
"""Wakes whoever sends deliveries, in this process."""

OVERLAP_SECONDS: Final = 24 * 3600
"""How long an old secret still signs beside its successor."""


def add_endpoint(
    tx: Tx,
    context: Context,
    merchant_id: int,
    url: str,
    *,
    types: Sequence[str],
    format: Format,  # noqa: A002 - the word of the field
    description: str | None,
) -> tuple[Endpoint, str]:
    """The new endpoint and its secret, which is shown this once. It hears of what happens from
    now on."""
    now = context.clock.now()
    public_id = new_id("whe", now)
    after_number = _begin_fan_out(tx)
    private = Ed25519PrivateKey.generate().private_bytes_raw()
    endpoint = store.insert_endpoint(
        tx,
        {
            "public_id": public_id,
            "merchant_id": merchant_id,
            "url": checked_url(context, url),
            "types": sorted(set(types)),
            "format": format.value,
            "status": EndpointStatus.ENABLED.value,
            "description": description,
            "signing_key_sealed": context.sealer.seal(private, sealed_signing_key(public_id)),
            "after_number": after_number,
            "created_at": now,
            "updated_at": now,
        },
    )
    return endpoint, _add_secret(tx, context, endpoint, now)


def _begin_fan_out(tx: Tx) -> int:
    """The event after which a new endpoint begins.

    Nobody has read the events until there is an endpoint, so the first one skips them all. It
    holds the lock while it looks whether it is the first: of two at once, one is the second.
    """
    store.await_fan_out(tx)
    newest = store.last_event_number(tx)
    if not store.has_endpoints(tx):
        store.set_fan_out(tx, newest)
    return newest


def checked_url(context: Context, url: str) -> str:
    """``url`` if events may be sent there; `EndpointAddressNotAllowed` otherwise."""
    try:
        return check_address(url, allow_private=context.settings.webhooks_allow_private)
    except AddressNotAllowed as refused:
        raise EndpointAddressNotAllowed(url, str(refused)) from None


def sealed_signing_key(public_id: str) -> str:
    """What an endpoint's Ed25519 key is sealed to."""
    return f"webhook_endpoint:{public_id}:signing_key"


def sealed_secret(endpoint_id: int) -> str:
    """What an endpoint's secrets are sealed to."""
    return f"webhook_endpoint:{endpoint_id}:secret"


def _add_secret(tx: Tx, context: Context, endpoint: Endpoint, now: datetime) -> str:
    secret = new_secret()
    sealed = context.sealer.seal(secret.encode(), sealed_secret(endpoint.id))
    store.insert_secret(tx, endpoint.id, sealed, now)
    return secret


def rotate_secret(tx: Tx, context: Context, endpoint: Endpoint, overlap_seconds: int) -> str:
    """A new secret; the old ones sign beside it for ``overlap_seconds``."""
    now = context.clock.now()
    store.expire_secrets(tx, endpoint.id, now + timedelta(seconds=overlap_seconds))
    return _add_secret(tx, context, endpoint, now)


def keys_of(tx: Tx, sealer: Sealer, endpoint: Endpoint, now: datetime) -> Keys:
    """What the endpoint's events are signed with at ``now``."""
    sealed = store.list_secrets(tx, [endpoint.id], now)
    opened = [sealer.open(one.secret_sealed, sealed_secret(endpoint.id)).decode() for one in sealed]
    private = sealer.open(endpoint.signing_key_sealed, sealed_signing_key(endpoint.public_id))
    return Keys(tuple(opened), Ed25519PrivateKey.from_private_bytes(private))


def read_endpoint(tx: Tx, merchant_id: int, public_id: str) -> Endpoint:
    """The merchant's endpoint of that id; `EndpointNotFound` otherwise."""
    endpoint = store.find_endpoint(tx, merchant_id, public_id)
    if endpoint is None:
        raise EndpointNotFound(public_id)
    return endpoint


def read_delivery(tx: Tx, merchant_id: int, public_id: str) -> Delivery:
    """The merchant's delivery of that id; `DeliveryNotFound` otherwise."""
    delivery = store.find_delivery(tx, merchant_id, public_id)
    if delivery is None:
        raise DeliveryNotFound(public_id)
    return delivery


def switch_off(
    tx: Tx, context: Context, endpoint: Endpoint, status: EndpointStatus, now: datetime
) -> None:
    """Pauses or disables an endpoint: what is on its way is parked until it is resumed."""
    store.lock_endpoint(tx, endpoint.id)
    store.update_endpoint(tx, endpoint.id, status=status.value, updated_at=now)
    store.park_pending(tx, endpoint.id, now)
    tx.after_commit(lambda: context.signals.wake(DELIVER_SIGNAL))


def resume(tx: Tx, context: Context, endpoint: Endpoint, now: datetime) -> int:
    """Switches an endpoint on, and sends what was parked meanwhile, in its order; how many."""
    store.lock_endpoint(tx, endpoint.id)
    store.update_endpoint(
        tx,
        endpoint.id,
        status=EndpointStatus.ENABLED.value,
        failing_since=None,
        updated_at=now,
    )
    waiting = store.deliveries.c.parked == Parked.ENDPOINT.value
    count = store.send_again(tx, endpoint.id, now, waiting)
    tx.after_commit(lambda: context.signals.wake(DELIVER_SIGNAL))
    return count


def resend(tx: Tx, context: Context, endpoint: Endpoint, condition: sa.ColumnElement[bool]) -> int:
    """Sends ended deliveries again, delivered ones too; how many. The endpoint must be on."""
    if endpoint.status is not EndpointStatus.ENABLED:
        raise EndpointOff(endpoint.public_id, endpoint.status.value)
    count = store.send_again(tx, endpoint.id, context.clock.now(), condition)
    tx.after_commit(lambda: context.signals.wake(DELIVER_SIGNAL))
    return count


def resend_order_as(context: Context, actor: Person, merchant_id: int, out_trade_no: str) -> int:
    """Sends all ended deliveries of an order's events again, to every endpoint that is on; how many."""
    require(actor, Right.EVENTS_RESEND, merchant_id)
    now = context.clock.now()
    with context.database.begin() as tx:
        order = read_order(tx, merchant_id, out_trade_no)
        of_order = store.deliveries.c.order_id == order.id
        count = 0
        for listed in store.list_endpoints(tx, merchant_id):
            endpoint = store.lock_endpoint(tx, listed.id)
            if endpoint.status is EndpointStatus.ENABLED:
                count += resend(tx, context, endpoint, of_order)
        subject = f"order:{out_trade_no}"
        record(tx, actor.actor, "events.resent", subject, now, merchant_id=merchant_id, count=count)
    return count


def send_test(tx: Tx, context: Context, endpoint: Endpoint, environment: str) -> str:
    """Puts a test event on its way to this endpoint alone; the event's id."""
    if endpoint.status is not EndpointStatus.ENABLED:
        raise EndpointOff(endpoint.public_id, endpoint.status.value)
    now = context.clock.now()
    data: dict[str, Any] = {"endpoint": endpoint.public_id}
    event = append_event(
        tx,
        merchant_id=endpoint.merchant_id,
        environment=environment,
        order_id=None,
        type=TEST,
        data=data,
        now=now,
        signals=context.signals,
    )
    store.insert_deliveries(
        tx, [delivery_row(endpoint, event.number, event.id, event.type, None, None, now)]
    )
    tx.after_commit(lambda: context.signals.wake(DELIVER_SIGNAL))
    return event.id


def delivery_row(
    endpoint: Endpoint,
    event_number: int,
    event_id: str,
    event_type: str,
    order_id: int | None,
    sequence: int | None,
    now: datetime,
) -> dict[str, Any]:
    """A new delivery: due at once, or parked if the endpoint is off."""
    is_on = endpoint.status is EndpointStatus.ENABLED
    return {
        "public_id": new_id("whd", now),
        "endpoint_id": endpoint.id,
        "event_number": event_number,
        "event_id": event_id,
        "event_type": event_type,
        "order_id": order_id,
        "sequence": sequence,
        "status": (DeliveryStatus.PENDING if is_on else DeliveryStatus.PARKED).value,
        "parked": None if is_on else Parked.ENDPOINT.value,
        "attempt_count": 0,
        "due_at": now if is_on else None,
        "created_at": now,
        "ended_at": None if is_on else now,
    }
