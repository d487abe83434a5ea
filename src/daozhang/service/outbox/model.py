"""What an event is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

API_VERSION: Final = "2026-11-01"
"""The version of the bodies that this release writes; an event keeps the one it was born with."""


class NewEvent(msgspec.Struct, frozen=True):
    """An event of an order that is locked by whoever appends it, and so knows its sequence."""

    merchant_id: int
    environment: str
    order_id: int
    sequence: int
    type: str
    data: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class EventHead:
    """What says where an event goes, without its body."""

    number: int
    id: str
    merchant_id: int
    order_id: int | None
    sequence: int | None
    type: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an order. Never changed once written.

    ``number`` is the row's, ours alone; ``id`` is what others see. ``sequence`` counts an order's
    events from 1 without a gap; it is ``None`` for an event that belongs to no order.
    """

    number: int
    id: str
    merchant_id: int
    environment: str
    order_id: int | None
    sequence: int | None
    type: str
    api_version: str
    data: Mapping[str, Any]
    created_at: datetime

    def envelope(self, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The event as it goes out, with ``data`` in place of its own body if given."""
        return {
            "id": self.id,
            "object": "event",
            "type": self.type,
            "api_version": self.api_version,
            "environment": self.environment,
            "created_at": self.created_at.isoformat(),
            "sequence": self.sequence,
            "data": dict(self.data if data is None else data),
        }
