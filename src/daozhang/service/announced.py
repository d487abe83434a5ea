"""What is announced: every type of event with its body, as types and as JSON Schema.

The schemas are under ``docs/reference/events`` too, by version of the bodies, for whoever makes
types of them; ``python -m daozhang.service.announced DIRECTORY`` writes them, a test compares.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, cast

import msgspec
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from daozhang.service.agreements.events import (
    AGREEMENT_EVENTS,
    DEDUCTION_FAILED,
    AgreementSnapshot,
    DeductionSnapshot,
)
from daozhang.service.holds.events import (
    HOLD_EVENTS,
    RELEASE_FAILED,
    RELEASED,
    HoldSnapshot,
    ReleaseSnapshot,
)
from daozhang.service.inbox.events import MESSAGE_EVENTS, MESSAGE_RECEIVED, MessageSnapshot
from daozhang.service.orders.events import ORDER_EVENTS, OrderSnapshot
from daozhang.service.orders.model import SurpriseEnd
from daozhang.service.outbox.model import API_VERSION
from daozhang.service.refunds.events import REFUND_EVENTS, RefundSnapshot
from daozhang.service.refusals import Refusal
from daozhang.service.settlements.events import SETTLEMENT_EVENTS, SettlementSnapshot
from daozhang.service.sharing.events import SHARE_EVENTS, ShareSnapshot
from daozhang.service.transfers.events import TRANSFER_EVENTS, TransferSnapshot
from daozhang.service.webhooks.events import DISABLED, TEST, WEBHOOK_EVENTS

SCHEMA_TYPE: Final = "application/schema+json"

router = APIRouter(prefix="/v1/event_types", tags=["events"])


class OrderBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an event of an order carries."""

    order: OrderSnapshot


class RefundBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an event of a refund carries."""

    order: OrderSnapshot
    refund: RefundSnapshot


class ShareBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an event of a share carries."""

    order: OrderSnapshot
    share: ShareSnapshot


class SettlementBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an event of a settlement carries."""

    order: OrderSnapshot
    settlement: SettlementSnapshot


class NoticeSurprise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A notification that could not be applied."""

    out_trade_no: str | None
    reason: str


class SurpriseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a surprise carries. ``order`` is null if Alipay named none of yours."""

    order: OrderSnapshot | None
    refund: RefundSnapshot | msgspec.UnsetType = msgspec.UNSET
    surprise: NoticeSurprise | msgspec.UnsetType = msgspec.UNSET


class ResolvedSurprise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was made of a surprise."""

    id: Annotated[int, msgspec.Meta(description="For GET /v1/surprises/{id}.")]
    out_trade_no: str | None
    reason: str
    resolution: SurpriseEnd


class SurpriseResolvedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the end of a surprise carries. ``order`` is null if it was about none of yours."""

    order: OrderSnapshot | None
    surprise: ResolvedSurprise


class EndpointDisabledBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An endpoint that was switched off."""

    endpoint: str
    url: str
    reason: Literal["gone", "failing"]


class EndpointTestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An endpoint that is being tried."""

    endpoint: str


class HoldBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an event of a hold carries."""

    hold: HoldSnapshot


class ReleaseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an event of a release carries."""

    hold: HoldSnapshot
    release: ReleaseSnapshot


class AgreementBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an event of an agreement carries."""

    agreement: AgreementSnapshot


class DeductionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an event of a try to charge an agreement carries."""

    agreement: AgreementSnapshot
    deduction: DeductionSnapshot


class TransferBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an event of a transfer carries."""

    transfer: TransferSnapshot


class MessageBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an event of a message carries."""

    message: MessageSnapshot


DESCRIPTIONS: Final[Mapping[str, str]] = {
    **ORDER_EVENTS,
    **REFUND_EVENTS,
    **SHARE_EVENTS,
    **SETTLEMENT_EVENTS,
    **HOLD_EVENTS,
    **AGREEMENT_EVENTS,
    **TRANSFER_EVENTS,
    **MESSAGE_EVENTS,
    **WEBHOOK_EVENTS,
}
"""Every type of event there is, with what it says."""

BODIES: Final[Mapping[str, type[msgspec.Struct]]] = {
    **dict.fromkeys(ORDER_EVENTS, OrderBody),
    **dict.fromkeys(REFUND_EVENTS, RefundBody),
    **dict.fromkeys(SHARE_EVENTS, ShareBody),
    **dict.fromkeys(SETTLEMENT_EVENTS, SettlementBody),
    **dict.fromkeys(HOLD_EVENTS, HoldBody),
    **dict.fromkeys(AGREEMENT_EVENTS, AgreementBody),
    DEDUCTION_FAILED: DeductionBody,
    **dict.fromkeys(TRANSFER_EVENTS, TransferBody),
    **dict.fromkeys((RELEASED, RELEASE_FAILED), ReleaseBody),
    "order.surprise": SurpriseBody,
    "order.surprise_resolved": SurpriseResolvedBody,
    MESSAGE_RECEIVED: MessageBody,
    DISABLED: EndpointDisabledBody,
    TEST: EndpointTestBody,
}
"""The type of ``data`` of each type of event."""


class EventTypeUnknown(Refusal):
    """There is no event of that type."""

    code: ClassVar[str] = "event_type_unknown"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "No such type of event"

    def __init__(self, event_type: str) -> None:
        super().__init__(
            f"There is no type of event {event_type!r}; GET /v1/event_types lists them.",
            f"没有事件类型 {event_type!r}, 可用 GET /v1/event_types 查看全部类型.",
            event_type=event_type,
        )


class EventTypeOut(BaseModel):
    """A type of event."""

    type: str
    description: str
    schema_url: str


class EventTypesOut(BaseModel):
    """Every type of event of this version of the bodies."""

    object: str = "list"
    api_version: str = API_VERSION
    data: list[EventTypeOut]


@router.get("", summary="All types of events")
def get_event_types() -> EventTypesOut:
    """What can be announced, and where the JSON Schema of each is. Takes no key."""
    return EventTypesOut(
        data=[
            EventTypeOut(type=name, description=description, schema_url=f"/v1/event_types/{name}")
            for name, description in DESCRIPTIONS.items()
        ]
    )


@router.get("/{event_type}", summary="The JSON Schema of a type of event")
def get_event_type(event_type: str) -> JSONResponse:
    """The JSON Schema (2020-12) of the whole event, as streams and webhooks carry it. No key."""
    if event_type not in BODIES:
        raise EventTypeUnknown(event_type)
    return JSONResponse(schema_of(event_type), media_type=SCHEMA_TYPE)


@cache
def struct_of(event_type: str) -> type[msgspec.Struct]:
    """The type of a whole event. It refuses fields that it does not know."""
    name = "".join(part.title() for part in event_type.replace("_", ".").split("."))
    sequence: Any = Annotated[
        int, msgspec.Meta(ge=1, description="Counts the order's events from 1.")
    ]
    fields: list[tuple[str, Any]] = [
        ("id", Annotated[str, msgspec.Meta(description="The same each time it is sent.")]),
        ("object", Literal["event"]),
        ("type", Literal[event_type]),  # pyright: ignore[reportInvalidTypeForm]
        ("api_version", Literal[API_VERSION]),  # pyright: ignore[reportInvalidTypeForm]
        ("environment", Literal["emulator", "sandbox", "production"]),
        ("created_at", Annotated[datetime, msgspec.Meta(tz=True)]),
        ("sequence", sequence | None),
        ("data", BODIES[event_type]),
    ]
    return msgspec.defstruct(name, fields, frozen=True, forbid_unknown_fields=True)


def schema_of(event_type: str) -> dict[str, Any]:
    """The JSON Schema of a whole event, open to fields that come later."""
    schema = cast("dict[str, Any]", _open(msgspec.json.schema(struct_of(event_type))))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:daozhang:event:{API_VERSION}:{event_type}",
        "title": event_type,
        "description": DESCRIPTIONS[event_type],
        **schema,
    }


def _open(schema: Any) -> Any:
    """``schema`` without its closing: a receiver must let fields pass that it does not know."""
    if isinstance(schema, dict):
        parts = cast("dict[str, Any]", schema)
        return {
            name: _open(part)
            for name, part in parts.items()
            if not (name == "additionalProperties" and part is False)
        }
    if isinstance(schema, list):
        return [_open(part) for part in cast("list[Any]", schema)]
    return schema


def written(event_type: str) -> str:
    """The schema as its file has it."""
    return json.dumps(schema_of(event_type), indent=2, ensure_ascii=False) + "\n"


def write_schemas(directory: Path) -> None:
    """Writes the file of every type, below a directory for this version of the bodies."""
    target = directory / API_VERSION
    target.mkdir(parents=True, exist_ok=True)
    for event_type in BODIES:
        (target / f"{event_type}.json").write_text(written(event_type), "utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
