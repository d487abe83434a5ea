"""API keys and callers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from daozhang.money import Money
from daozhang.service.audit.model import Actor, ActorKind


class Scope(StrEnum):
    """What a key allows."""

    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    REFUNDS_WRITE = "refunds:write"
    SHARING_WRITE = "sharing:write"
    EVENTS_READ = "events:read"
    WEBHOOKS_WRITE = "webhooks:write"
    OUTGOING_WRITE = "outgoing:write"
    TRANSFERS_READ = "transfers:read"
    TRANSFERS_WRITE = "transfers:write"
    LEDGER_READ = "ledger:read"
    BOOKS_READ = "books:read"
    BOOKS_WRITE = "books:write"


@dataclass(frozen=True, slots=True)
class KeyMerchant:
    """A merchant that a key covers. The slug never changes, so a copy of it is safe."""

    merchant_id: int
    slug: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as it is kept: without the key. ``prefix`` is what people recognise it by."""

    id: int
    name: str
    prefix: str
    environment: str
    scopes: frozenset[Scope]
    refund_limit: Money | None
    merchants: tuple[KeyMerchant, ...]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    created_by: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and for which merchant. ``refund_limit`` is for one refund; None: no limit."""

    api_key_id: int
    merchant_id: int
    merchant_slug: str
    environment: str
    scopes: frozenset[Scope]
    refund_limit: Money | None
    key_name: str = ""
    key_made_by: str | None = None

    @property
    def actor(self) -> Actor:
        """Who it is in the audit trail."""
        return Actor(ActorKind.API_KEY, str(self.api_key_id), self.key_name)
