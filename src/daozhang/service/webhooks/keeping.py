"""Keeping endpoints: each change of one, by whoever may, in a transaction of its own and in the trail.

An API key and a person do the same here; what a person may is asked for first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context
from daozhang.service.webhooks import actions, store
from daozhang.service.webhooks.actions import OVERLAP_SECONDS
from daozhang.service.webhooks.model import DeliveryStatus, Endpoint, EndpointStatus, Format


@dataclass(frozen=True, slots=True)
class Keeper:
    """Somebody who keeps the endpoints of one merchant. All raise `EndpointNotFound`."""

    context: Context
    actor: Actor
    merchant_id: int

    def add(
        self,
        url: str,
        *,
        types: Sequence[str],
        format: Format,  # noqa: A002 - the word of the field
        description: str | None,
    ) -> tuple[Endpoint, str]:
        """The new endpoint and its secret, seen only now. Raises `EndpointAddressNotAllowed`."""
        with self.context.database.begin() as tx:
            endpoint, secret = actions.add_endpoint(
                tx,
                self.context,
                self.merchant_id,
                url,
                types=types,
                format=format,
                description=description,
            )
            self._note(tx, "added", endpoint.public_id)
            return endpoint, secret

    def change(self, public_id: str, **changed: Any) -> Endpoint:
        """Writes ``url``, ``types`` or ``description``. Raises `EndpointAddressNotAllowed`."""
        with self.context.database.begin() as tx:
            endpoint = self._begin(tx, "changed", public_id)
            if "url" in changed:
                actions.checked_url(self.context, changed["url"])
            if changed:
                now = self.context.clock.now()
                store.update_endpoint(tx, endpoint.id, updated_at=now, **changed)
            return actions.read_endpoint(tx, self.merchant_id, public_id)

    def remove(self, public_id: str) -> None:
        """Nothing is sent there any more. What was sent stays on record."""
        with self.context.database.begin() as tx:
            endpoint = self._begin(tx, "removed", public_id)
            now = self.context.clock.now()
            actions.switch_off(tx, self.context, endpoint, EndpointStatus.PAUSED, now)
            store.update_endpoint(tx, endpoint.id, deleted_at=now)

    def pause(self, public_id: str) -> Endpoint:
        """Its events are parked until it is resumed."""
        with self.context.database.begin() as tx:
            endpoint = self._begin(tx, "paused", public_id)
            now = self.context.clock.now()
            actions.switch_off(tx, self.context, endpoint, EndpointStatus.PAUSED, now)
            return actions.read_endpoint(tx, self.merchant_id, public_id)

    def resume(self, public_id: str) -> int:
        """Switches it on; what was parked meanwhile is sent, in its order: how many."""
        with self.context.database.begin() as tx:
            endpoint = self._begin(tx, "resumed", public_id)
            return actions.resume(tx, self.context, endpoint, self.context.clock.now())

    def rotate_secret(
        self, public_id: str, overlap_seconds: int = OVERLAP_SECONDS
    ) -> tuple[Endpoint, str]:
        """The new secret, seen only now; the old one signs beside it for ``overlap_seconds``."""
        with self.context.database.begin() as tx:
            endpoint = self._begin(tx, "secret_rotated", public_id)
            secret = actions.rotate_secret(tx, self.context, endpoint, overlap_seconds)
            return endpoint, secret

    def send_test(self, public_id: str, environment: str) -> str:
        """Puts a test event on its way to this endpoint alone; the event's id. Raises `EndpointOff`."""
        with self.context.database.begin() as tx:
            endpoint = self._begin(tx, "tested", public_id)
            return actions.send_test(tx, self.context, endpoint, environment)

    def resend_since(
        self, public_id: str, since: datetime, status: DeliveryStatus | None = None
    ) -> int:
        """Sends what was made since then again, delivered ones too; how many. Raises `EndpointOff`."""
        with self.context.database.begin() as tx:
            endpoint = self._begin(tx, "resent", public_id)
            condition = store.deliveries.c.created_at >= since
            if status is not None:
                condition &= store.deliveries.c.status == status.value
            return actions.resend(tx, self.context, endpoint, condition)

    def resend_delivery(self, public_id: str) -> int:
        """Sends one that has ended again, under the id that it had; 0 if it is on its way.

        Raises `DeliveryNotFound`, `EndpointOff`.
        """
        with self.context.database.begin() as tx:
            delivery = actions.read_delivery(tx, self.merchant_id, public_id)
            endpoint = store.lock_endpoint(tx, delivery.endpoint_id)
            self._note(tx, "resent", endpoint.public_id, delivery=public_id)
            condition = store.deliveries.c.id == delivery.id
            return actions.resend(tx, self.context, endpoint, condition)

    def _begin(self, tx: Tx, deed: str, public_id: str) -> Endpoint:
        endpoint = actions.read_endpoint(tx, self.merchant_id, public_id)
        self._note(tx, deed, public_id)
        return endpoint

    def _note(self, tx: Tx, deed: str, public_id: str, delivery: str | None = None) -> None:
        record(
            tx,
            self.actor,
            f"webhook.{deed}",
            f"webhook:{public_id}",
            self.context.clock.now(),
            merchant_id=self.merchant_id,
            delivery=delivery,
        )


def keeper_as(context: Context, actor: Person, merchant_id: int) -> Keeper:
    """A person as a keeper of that merchant's endpoints. Raises `RightMissing`, `MerchantNotYours`."""
    require(actor, Right.WEBHOOKS_WRITE, merchant_id)
    return Keeper(context, actor.actor, merchant_id)
