"""Webhooks over HTTP: endpoints, their secrets, deliveries and attempts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.db import Tx
from daozhang.service.web.context import Context, context_of
from daozhang.service.web.pagination import read_cursor, write_cursor
from daozhang.service.webhooks import actions, store
from daozhang.service.webhooks.actions import OVERLAP_SECONDS
from daozhang.service.webhooks.keeping import Keeper
from daozhang.service.webhooks.model import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Endpoint,
    EndpointStatus,
    Format,
)
from daozhang.service.webhooks.signing import public_key_of

ROWS_MAX: Final = 100

router = APIRouter(prefix="/v1/webhook_endpoints", tags=["webhooks"])
deliveries_router = APIRouter(prefix="/v1/webhook_deliveries", tags=["webhooks"])

Writer = Annotated[Caller, Depends(caller_with("webhooks:write"))]
EventType = Annotated[str, Field(pattern=r"^[a-z_]{1,32}\.[a-z_]{1,31}$")]
Url = Annotated[str, Field(min_length=8, max_length=2000)]
Description = Annotated[str, Field(max_length=256)]


class EndpointIn(BaseModel):
    """An address that is to hear of events."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    types: list[EventType] = Field([], max_length=32, description="Empty: events of all types.")
    format: Format = Field(Format.JSON, description="form: as Alipay's notification, for old sites")
    description: Description | None = None


class EndpointChange(BaseModel):
    """What is to be changed of an endpoint; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    types: list[EventType] | None = Field(None, max_length=32)
    description: Description | None = None


class RotationIn(BaseModel):
    """How a secret is replaced."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: int = Field(
        OVERLAP_SECONDS, ge=0, le=7 * 24 * 3600, description="How long the old one signs as well."
    )


class ResendIn(BaseModel):
    """Which of an endpoint's deliveries are sent again."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime = Field(description="Deliveries made since then, delivered ones too.")
    status: DeliveryStatus | None = Field(None, description="Only parked, or only delivered ones.")


class EndpointOut(BaseModel):
    """An endpoint. Its secrets are shown once each, when they are made."""

    object: str = "webhook_endpoint"
    id: str
    url: str
    types: list[str]
    format: Format
    status: EndpointStatus
    description: str | None
    public_key: str = Field(description="For v1a signatures: Ed25519.")
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime
    secret: str | None = Field(None, description="Only in the answer that made it. Keep it.")

    @classmethod
    def of(cls, tx: Tx, context: Context, endpoint: Endpoint, secret: str | None = None) -> Self:
        """``endpoint``, rendered."""
        keys = actions.keys_of(tx, context.sealer, endpoint, context.clock.now())
        return cls(
            id=endpoint.public_id,
            url=endpoint.url,
            types=list(endpoint.types),
            format=endpoint.format,
            status=endpoint.status,
            description=endpoint.description,
            public_key=public_key_of(keys.private),
            failing_since=endpoint.failing_since,
            created_at=endpoint.created_at,
            updated_at=endpoint.updated_at,
            secret=secret,
        )


class AttemptOut(BaseModel):
    """One POST, and what came of it."""

    at: datetime
    status_code: int | None
    error: str | None
    response: str | None = Field(description="The first 2 kB of the answer, as text.")
    duration_ms: int

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """``attempt``, rendered."""
        return cls(**{name: getattr(attempt, name) for name in cls.model_fields})


class DeliveryOut(BaseModel):
    """One event on its way to one endpoint."""

    object: str = "webhook_delivery"
    id: str
    event_id: str
    event_type: str
    sequence: int | None
    status: DeliveryStatus
    parked_because: str | None = Field(description="ladder: too many failures; endpoint: it is off")
    attempt_count: int
    next_attempt_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    attempts: list[AttemptOut] | None = None

    @classmethod
    def of(cls, delivery: Delivery, attempts: list[Attempt] | None = None) -> Self:
        """``delivery``, rendered."""
        return cls(
            id=delivery.public_id,
            event_id=delivery.event_id,
            event_type=delivery.event_type,
            sequence=delivery.sequence,
            status=delivery.status,
            parked_because=None if delivery.parked is None else delivery.parked.value,
            attempt_count=delivery.attempt_count,
            next_attempt_at=delivery.due_at,
            created_at=delivery.created_at,
            ended_at=delivery.ended_at,
            attempts=None if attempts is None else [AttemptOut.of(one) for one in attempts],
        )


class EndpointList(BaseModel):
    """All endpoints of a merchant."""

    data: list[EndpointOut]


class DeliveryList(BaseModel):
    """A page of deliveries, newest first."""

    data: list[DeliveryOut]
    next_cursor: str | None


class Sent(BaseModel):
    """How many deliveries are on their way again."""

    count: int


class TestSent(BaseModel):
    """The test event that is on its way."""

    event_id: str


@router.post("", status_code=201, summary="Add an endpoint")
def add_endpoint(request: Request, caller: Writer, wanted: EndpointIn) -> EndpointOut:
    """It hears of what happens from now on. The answer holds its secret, this once."""
    endpoint, secret = _keeper(request, caller).add(
        wanted.url,
        types=wanted.types,
        format=wanted.format,
        description=wanted.description,
    )
    return _shown(request, endpoint, secret)


@router.get("", summary="List endpoints")
def list_endpoints(request: Request, caller: Writer) -> EndpointList:
    """All of the merchant's, oldest first."""
    context = context_of(request)
    with context.database.read() as tx:
        found = store.list_endpoints(tx, caller.merchant_id)
        return EndpointList(data=[EndpointOut.of(tx, context, one) for one in found])


@router.get("/{endpoint_id}", summary="Read an endpoint")
def get_endpoint(request: Request, caller: Writer, endpoint_id: str) -> EndpointOut:
    """Where it stands."""
    context = context_of(request)
    with context.database.read() as tx:
        endpoint = actions.read_endpoint(tx, caller.merchant_id, endpoint_id)
        return EndpointOut.of(tx, context, endpoint)


@router.patch("/{endpoint_id}", summary="Change an endpoint")
def change_endpoint(
    request: Request, caller: Writer, endpoint_id: str, wanted: EndpointChange
) -> EndpointOut:
    """Its address, types or description."""
    changed: dict[str, Any] = wanted.model_dump(exclude_unset=True, exclude_none=True)
    return _shown(request, _keeper(request, caller).change(endpoint_id, **changed))


@router.delete("/{endpoint_id}", status_code=204, summary="Remove an endpoint")
def remove_endpoint(request: Request, caller: Writer, endpoint_id: str) -> Response:
    """Nothing is sent there any more. What was sent stays on record."""
    _keeper(request, caller).remove(endpoint_id)
    return Response(status_code=204)


@router.post("/{endpoint_id}/pause", summary="Pause an endpoint")
def pause_endpoint(request: Request, caller: Writer, endpoint_id: str) -> EndpointOut:
    """Its events are parked until it is resumed."""
    return _shown(request, _keeper(request, caller).pause(endpoint_id))


@router.post("/{endpoint_id}/resume", summary="Resume an endpoint")
def resume_endpoint(request: Request, caller: Writer, endpoint_id: str) -> Sent:
    """Switches it on again; what was parked meanwhile is sent, in its order."""
    return Sent(count=_keeper(request, caller).resume(endpoint_id))


@router.post("/{endpoint_id}/rotate_secret", summary="Replace an endpoint's secret")
def rotate_secret(
    request: Request, caller: Writer, endpoint_id: str, wanted: RotationIn
) -> EndpointOut:
    """The answer holds the new secret, this once. The old one signs beside it for a while."""
    keeper = _keeper(request, caller)
    return _shown(request, *keeper.rotate_secret(endpoint_id, wanted.overlap_seconds))


@router.post("/{endpoint_id}/test", status_code=202, summary="Send a test event")
def test_endpoint(request: Request, caller: Writer, endpoint_id: str) -> TestSent:
    """To this endpoint alone."""
    return TestSent(event_id=_keeper(request, caller).send_test(endpoint_id, caller.environment))


@router.post("/{endpoint_id}/resend", summary="Send all since a time again")
def resend_since(request: Request, caller: Writer, endpoint_id: str, wanted: ResendIn) -> Sent:
    """Under the ids that they had: a receiver that keeps the ids it has handled is safe."""
    keeper = _keeper(request, caller)
    return Sent(count=keeper.resend_since(endpoint_id, wanted.since, wanted.status))


@router.get("/{endpoint_id}/deliveries", summary="List an endpoint's deliveries")
def list_deliveries(
    request: Request,
    caller: Writer,
    endpoint_id: str,
    status: DeliveryStatus | None = None,
    event_id: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 50,
) -> DeliveryList:
    """Newest first."""
    context = context_of(request)
    with context.database.read() as tx:
        endpoint = actions.read_endpoint(tx, caller.merchant_id, endpoint_id)
        found = store.list_deliveries(
            tx,
            endpoint.id,
            status=None if status is None else status.value,
            event_id=event_id,
            before_id=None if cursor is None else read_cursor(cursor),
            rows_max=limit + 1,
        )
    more = len(found) > limit
    return DeliveryList(
        data=[DeliveryOut.of(one) for one in found[:limit]],
        next_cursor=write_cursor(found[limit - 1].id) if more else None,
    )


@deliveries_router.get("/{delivery_id}", summary="Read a delivery with its attempts")
def get_delivery(request: Request, caller: Writer, delivery_id: str) -> DeliveryOut:
    """Every attempt, oldest first, with the receiver's answer."""
    context = context_of(request)
    with context.database.read() as tx:
        delivery = actions.read_delivery(tx, caller.merchant_id, delivery_id)
        return DeliveryOut.of(delivery, store.list_attempts(tx, delivery.id))


@deliveries_router.post("/{delivery_id}/resend", summary="Send a delivery again")
def resend_delivery(request: Request, caller: Writer, delivery_id: str) -> Sent:
    """A parked or delivered one, under the id that it had; one on its way is left alone."""
    return Sent(count=_keeper(request, caller).resend_delivery(delivery_id))


def _keeper(request: Request, caller: Caller) -> Keeper:
    return Keeper(context_of(request), caller.actor, caller.merchant_id)


def _shown(request: Request, endpoint: Endpoint, secret: str | None = None) -> EndpointOut:
    context = context_of(request)
    with context.database.read() as tx:
        return EndpointOut.of(tx, context, endpoint, secret)
