"""What the pages of webhooks show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from daozhang.console.paging import Pages, cut, with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.announced import DESCRIPTIONS
from daozhang.service.outbox.model import Event
from daozhang.service.people.model import Right
from daozhang.service.webhooks.drain import USER_AGENT
from daozhang.service.webhooks.model import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Endpoint,
    EndpointStatus,
    Format,
    Health,
    Secret,
)
from daozhang.service.webhooks.rules import succeeded
from daozhang.service.webhooks.signing import Keys, public_key_of, unsigned_message

TYPE_FIELD: Final = "type:"
"""What stands before the type of an event in the name of its box."""

FORMATS: Final[Mapping[Format, str]] = {
    Format.JSON: word("Standard Webhooks (JSON)"),
    Format.FORM: word("A form, as Alipay's own notification"),
}

_TABS: Final[Sequence[tuple[str, str]]] = (
    ("", word("All")),
    (DeliveryStatus.PENDING, word("On its way")),
    (DeliveryStatus.DELIVERED, word("Delivered")),
    (DeliveryStatus.PARKED, word("Waits for a person")),
)


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint of the list."""

    address: str
    endpoint: Endpoint
    health: Health

    @property
    def share(self) -> int | None:
        """How many of a hundred events it has taken; ``None`` if it never got one."""
        health = self.health
        return health.delivered * 100 // health.latest if health.latest else None


@dataclass(frozen=True, slots=True)
class EndpointView:
    """One endpoint."""

    endpoint: Endpoint
    row: EndpointRow
    path: str
    here: str
    format: str
    public_key: str
    old_secret_until: datetime | None
    narrows: bool
    tabs: Sequence[tuple[str, str, bool]]
    deliveries: Sequence[Delivery]
    pages: Pages
    is_on: bool
    may_write: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class FormView:
    """The form of an endpoint, new or known."""

    endpoint: Endpoint | None
    address: str
    back: str
    url: str
    description: str
    formats: Sequence[tuple[str, str]]
    format: str
    groups: Sequence[tuple[str, Sequence[tuple[str, bool]]]]
    error: str | None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One POST: what was sent, and what came back."""

    attempt: Attempt
    is_taken: bool
    request: str | None


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One delivery."""

    delivery: Delivery
    endpoint: Endpoint
    path: str
    attempts: Sequence[AttemptRow]
    may_resend: bool
    order: str | None


def status_of(query: Mapping[str, str]) -> str | None:
    """Which deliveries an address asks for; all of them if it cannot be understood."""
    asked = query.get("state", "")
    return asked if asked in tuple(DeliveryStatus) else None


def types_sent(form: Mapping[str, str]) -> list[str]:
    """The types of events whose boxes are checked; none: all of them."""
    return sorted(name for name in DESCRIPTIONS if f"{TYPE_FIELD}{name}" in form)


def endpoint_view(
    visit: Visit,
    endpoint: Endpoint,
    health: Health,
    status: str | None,
    found: Sequence[Delivery],
    keys: Keys,
    secrets: Sequence[Secret],
) -> EndpointView:
    """One endpoint and a page of its deliveries, of which one more may have been read."""
    t, chosen = visit.t, status or ""
    path = f"{visit.home}/webhooks/{endpoint.public_id}"
    shown, pages = cut(found, path, {"state": chosen, "before": visit.query.get("before", "")})
    old = [one.expires_at for one in secrets if one.expires_at is not None]
    return EndpointView(
        endpoint=endpoint,
        row=EndpointRow(path, endpoint, health),
        path=path,
        here=visit.address,
        format=t(FORMATS[endpoint.format]),
        public_key=public_key_of(keys.private),
        old_secret_until=max(old, default=None),
        narrows=status is not None,
        tabs=[
            (with_query(path, {"state": value}), t(text), value == chosen) for value, text in _TABS
        ],
        deliveries=shown,
        pages=pages,
        is_on=endpoint.status is EndpointStatus.ENABLED,
        may_write=visit.may(Right.WEBHOOKS_WRITE),
        now=visit.context.clock.now(),
    )


def form_view(visit: Visit, endpoint: Endpoint | None, error: str | None) -> FormView:
    """The form as it was sent, else as the endpoint is."""
    list_path = f"{visit.home}/webhooks"
    path = list_path if endpoint is None else f"{list_path}/{endpoint.public_id}"
    known = ("", "", frozenset[str]())
    if endpoint is not None:
        known = (endpoint.url, endpoint.description or "", frozenset(endpoint.types))
    chosen = frozenset(types_sent(visit.form)) if error else known[2]
    return FormView(
        endpoint=endpoint,
        address=f"{path}/new" if endpoint is None else f"{path}/edit",
        back=path,
        url=visit.form.get("url", known[0]),
        description=visit.form.get("description", known[1]),
        formats=[(one.value, visit.t(text)) for one, text in FORMATS.items()],
        format=visit.form.get("format", Format.JSON.value),
        groups=[
            (family, [(name, name in chosen) for name in names])
            for family, names in groupby(DESCRIPTIONS, lambda name: name.partition(".")[0])
        ],
        error=error,
    )


def delivery_view(
    visit: Visit,
    endpoint: Endpoint,
    delivery: Delivery,
    attempts: Sequence[Attempt],
    event: Event | None,
) -> DeliveryView:
    """One delivery, its attempts latest first."""
    order = None if event is None else event.data.get("order", {}).get("out_trade_no")
    path = f"{visit.home}/webhooks/{endpoint.public_id}/deliveries/{delivery.public_id}"
    return DeliveryView(
        delivery=delivery,
        endpoint=endpoint,
        path=path,
        attempts=[
            AttemptRow(
                attempt=one,
                is_taken=succeeded(one, endpoint.format),
                request=None if event is None else request_text(endpoint, event, one.at),
            )
            for one in reversed(attempts)
        ],
        may_resend=delivery.status is not DeliveryStatus.PENDING
        and endpoint.status is EndpointStatus.ENABLED
        and visit.may(Right.WEBHOOKS_WRITE),
        order=order,
    )


def request_text(endpoint: Endpoint, event: Event, at: datetime) -> str:
    """What was posted at that time, but for its signatures, which are not kept."""
    message = unsigned_message(event, endpoint.format, at)
    headers = {"User-Agent": USER_AGENT, **message.headers}
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\n".join([*lines, "", message.body.decode()])
