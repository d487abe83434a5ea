"""What an endpoint, a delivery and an attempt are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class EndpointStatus(StrEnum):
    """Whether events are sent to an endpoint."""

    ENABLED = "enabled"
    PAUSED = "paused"  # by a person
    DISABLED = "disabled"  # by us: it is gone (410), or failed for too long


class Format(StrEnum):
    """How an event is written."""

    JSON = "json"  # Standard Webhooks
    FORM = "form"  # as Alipay's own notification, for sites that can read that already


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    PARKED = "parked"  # waits for a person: its ladder has ended, or its endpoint is off


class Parked(StrEnum):
    """Why a delivery waits for a person."""

    LADDER = "ladder"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address of a merchant's that hears of events. No ``types``: of all of them."""

    id: int
    public_id: str
    merchant_id: int
    url: str
    types: tuple[str, ...]
    format: Format
    status: EndpointStatus
    description: str | None
    signing_key_sealed: bytes = field(repr=False)
    after_number: int
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret of an endpoint, sealed. ``expires_at`` is set once another has taken its place."""

    id: int
    endpoint_id: int
    secret_sealed: bytes = field(repr=False)
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint."""

    id: int
    public_id: str
    endpoint_id: int
    event_number: int
    event_id: str
    event_type: str
    order_id: int | None
    sequence: int | None
    status: DeliveryStatus
    parked: Parked | None
    attempt_count: int
    due_at: datetime | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST, and what came of it: a status, or an error before there was one."""

    at: datetime
    status_code: int | None
    error: str | None
    response: str | None
    duration_ms: int
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint has been doing: of its latest events, and of what waits."""

    latest: int
    delivered: int
    waiting: int
    parked: int
    oldest_waiting_at: datetime | None
    last_attempt: Attempt | None
