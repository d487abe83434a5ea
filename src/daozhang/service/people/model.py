"""People, their roles, and what each role may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from daozhang.service.audit.model import Actor, ActorKind


class Role(StrEnum):
    """What a person is here. Each role has the least that its work needs; see `RIGHTS`."""

    VIEWER = "viewer"  # looks
    CASHIER = "cashier"  # stands at a till
    FINANCE = "finance"  # refunds, reconciles, clears what did not fit
    DEVELOPER = "developer"  # connects systems; moves no money
    OWNER = "owner"  # everything, people and keys too


class Right(StrEnum):
    """One thing that a person may do. An action names the right that it needs."""

    OVERVIEW_READ = "overview:read"
    ORDERS_READ = "orders:read"
    ORDERS_EXPORT = "orders:export"
    ORDERS_CREATE = "orders:create"
    ORDERS_CLOSE = "orders:close"
    ORDERS_QUERY = "orders:query"
    REFUNDS_READ = "refunds:read"
    REFUNDS_REQUEST = "refunds:request"
    REFUNDS_APPROVE = "refunds:approve"
    TRANSFERS_READ = "transfers:read"
    TRANSFERS_REQUEST = "transfers:request"
    TRANSFERS_APPROVE = "transfers:approve"
    SHARING_READ = "sharing:read"
    SHARING_REQUEST = "sharing:request"  # passes parts of an order on
    SHARING_WRITE = "sharing:write"  # says who may receive, and by which plans
    LEDGER_READ = "ledger:read"
    LEDGER_BOOK = "ledger:book"  # asks for entries by hand and for reversals
    LEDGER_APPROVE = "ledger:approve"
    LEDGER_LOCK = "ledger:lock"  # closes days
    NOTIFICATIONS_READ = "notifications:read"
    NOTIFICATIONS_APPLY = "notifications:apply"
    EVENTS_READ = "events:read"
    EVENTS_RESEND = "events:resend"
    HOLDS_READ = "holds:read"
    HOLDS_CAPTURE = "holds:capture"
    HOLDS_RELEASE = "holds:release"
    AGREEMENTS_READ = "agreements:read"
    AGREEMENTS_CHARGE = "agreements:charge"
    AGREEMENTS_END = "agreements:end"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    TILL_USE = "till:use"
    TILL_SHIFTS = "till:shifts"
    PAYLINKS_WRITE = "paylinks:write"
    MERCHANTS_READ = "merchants:read"
    MERCHANTS_WRITE = "merchants:write"
    KEYS_ROTATE = "keys:rotate"
    KEYS_APPROVE = "keys:approve"
    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"
    APIKEYS_READ = "apikeys:read"
    APIKEYS_WRITE = "apikeys:write"
    AUDIT_READ = "audit:read"
    AUDIT_EXPORT = "audit:export"
    SURPRISES_READ = "surprises:read"
    SURPRISES_WORK = "surprises:work"
    JOBS_READ = "jobs:read"
    JOBS_WORK = "jobs:work"
    PERSONAL_READ = "personal:read"  # buyers' personal fields unmasked; each view is audited
    OUTGOING_SWITCH = "outgoing:switch"


_LOOKS: Final = frozenset(
    {
        Right.OVERVIEW_READ,
        Right.ORDERS_READ,
        Right.REFUNDS_READ,
        Right.EVENTS_READ,
        Right.HOLDS_READ,
        Right.AGREEMENTS_READ,
    }
)

RIGHTS: Final[Mapping[Role, frozenset[Right]]] = MappingProxyType(
    {
        Role.VIEWER: _LOOKS,
        Role.CASHIER: frozenset(
            {
                Right.ORDERS_READ,
                Right.ORDERS_CREATE,
                Right.ORDERS_CLOSE,
                Right.ORDERS_QUERY,
                Right.REFUNDS_READ,
                Right.REFUNDS_REQUEST,
                Right.TILL_USE,
                Right.PAYLINKS_WRITE,
            }
        ),
        Role.FINANCE: _LOOKS
        | {
            Right.ORDERS_EXPORT,
            Right.ORDERS_CREATE,
            Right.ORDERS_CLOSE,
            Right.ORDERS_QUERY,
            Right.REFUNDS_REQUEST,
            Right.REFUNDS_APPROVE,
            Right.TRANSFERS_READ,
            Right.TRANSFERS_REQUEST,
            Right.TRANSFERS_APPROVE,
            Right.SHARING_READ,
            Right.SHARING_REQUEST,
            Right.LEDGER_READ,
            Right.LEDGER_BOOK,
            Right.LEDGER_APPROVE,
            Right.LEDGER_LOCK,
            Right.NOTIFICATIONS_READ,
            Right.HOLDS_CAPTURE,
            Right.HOLDS_RELEASE,
            Right.AGREEMENTS_CHARGE,
            Right.AGREEMENTS_END,
            Right.TILL_USE,
            Right.TILL_SHIFTS,
            Right.PAYLINKS_WRITE,
            Right.MERCHANTS_READ,
            Right.AUDIT_READ,
            Right.SURPRISES_READ,
            Right.SURPRISES_WORK,
            Right.JOBS_READ,
            Right.PERSONAL_READ,
        },
        Role.DEVELOPER: _LOOKS
        | {
            Right.ORDERS_QUERY,
            Right.NOTIFICATIONS_READ,
            Right.NOTIFICATIONS_APPLY,
            Right.EVENTS_RESEND,
            Right.WEBHOOKS_READ,
            Right.WEBHOOKS_WRITE,
            Right.MERCHANTS_READ,
            Right.APIKEYS_READ,
            Right.SURPRISES_READ,
            Right.JOBS_READ,
            Right.JOBS_WORK,
        },
        Role.OWNER: frozenset(Right),
    }
)
"""The one table of who may do what. `docs/console/rights.md` shows it; a test compares them."""


class PersonStatus(StrEnum):
    """Where a person stands."""

    INVITED = "invited"  # has a one-time address and no password yet
    ACTIVE = "active"
    DISABLED = "disabled"  # may not sign in; what they did stays attributed


class Language(StrEnum):
    """The language in which a person reads the console."""

    CHINESE = "zh"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts. ``merchants`` are the rows of the merchants covered; ``None``: all of them."""

    id: int
    email: str
    name: str
    roles: frozenset[Role]
    merchants: frozenset[int] | None
    language: Language
    status: PersonStatus
    created_at: datetime
    has_password: bool = False
    has_totp: bool = False
    passkeys: int = 0
    recovery_codes_left: int = 0
    signed_in_at: datetime | None = None

    @property
    def actor(self) -> Actor:
        """Who they are in the audit trail."""
        return Actor(ActorKind.PERSON, str(self.id), self.email)

    @property
    def rights(self) -> frozenset[Right]:
        """All that their roles allow; nothing unless they are active."""
        if self.status is not PersonStatus.ACTIVE:
            return frozenset()
        return frozenset[Right]().union(*(RIGHTS[role] for role in self.roles))

    def may(self, right: Right) -> bool:
        """Whether they may do ``right``, for a merchant that they cover."""
        return right in self.rights

    def covers(self, merchant_id: int) -> bool:
        """Whether they work for that merchant."""
        return self.merchants is None or merchant_id in self.merchants


class SignInStep(StrEnum):
    """What a session still lacks."""

    SECOND_FACTOR = "second_factor"  # the password was right; a code or a passkey is owed
    SIGNED_IN = "signed_in"


@dataclass(frozen=True, slots=True)
class Session:
    """One browser of one person. Its token is known to that browser alone.

    ``csrf`` is what a form of this session must send back. ``confirmed_at`` is when the person
    last proved who they are, which what is grave asks for anew.
    """

    id: str
    person_id: int
    step: SignInStep
    csrf: str
    address: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """A one-time address that lets a person set their password. The address is a secret."""

    id: int
    person_id: int
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of a person, without what only the browser's answer needs."""

    id: int
    person_id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody to be invited. ``merchants``: for whom they will work; ``None``: for all."""

    email: str
    name: str
    roles: frozenset[Role]
    merchants: frozenset[int] | None = None
    language: Language = Language.CHINESE


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a sign-in gives. ``token`` goes into the browser's cookie and is seen only now."""

    token: str = field(repr=False)
    session: Session
    person: Person
