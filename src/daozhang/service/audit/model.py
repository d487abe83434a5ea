"""Who did what: an actor, and a row of the trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class ActorKind(StrEnum):
    """In which capacity somebody acts."""

    PERSON = "person"  # in the console
    API_KEY = "api_key"
    CLI = "cli"  # a user of the machine
    SYSTEM = "system"  # by itself: a rule or a clock


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. ``reference`` tells one from all others; ``name`` is what people read."""

    kind: ActorKind
    reference: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.reference}"


SYSTEM: Final = Actor(ActorKind.SYSTEM, "daozhang", "daozhang")
"""The service itself."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A row of the trail. ``hash`` covers all of it and the ``previous_hash``."""

    sequence: int
    at: datetime
    actor: Actor
    action: str
    subject: str
    merchant_id: int | None
    address: str | None
    detail: Mapping[str, Any]
    previous_hash: str
    hash: str
