"""Apps and merchants."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

CHANGED_SIGNAL: Final = "merchants"
"""Woken, after the commit, when an App or a Merchant was added or changed in this process."""


class LatePolicy(StrEnum):
    """What becomes of a payment that arrives after its order was closed (money.md §4)."""

    PERSON = "person"
    FULFIL = "fulfil"
    REFUND = "refund"


class DuplicatePolicy(StrEnum):
    """What becomes of a second payment for the same cart (money.md §1)."""

    PERSON = "person"
    REFUND_LATER = "refund_later"


@dataclass(frozen=True, slots=True)
class NewApp:
    """An App to be added. Key or certificate mode; keys as text in any form the library reads.

    ``gateway_url`` and ``v3_base_url`` are for the emulator only: elsewhere they are pinned.
    """

    app_id: str
    environment: str
    private_key: str = field(repr=False)
    alipay_public_key: str | None = None
    app_cert: str | None = None
    alipay_cert: str | None = None
    alipay_root_cert: str | None = None
    encrypt_key: str | None = field(default=None, repr=False)
    name: str = ""
    gateway_url: str | None = None
    v3_base_url: str | None = None


@dataclass(frozen=True, slots=True)
class App:
    """An Alipay app id in one environment, which never changes. Its secrets stay sealed."""

    id: int
    app_id: str
    name: str
    environment: str
    alipay_public_key: str | None
    app_cert: str | None
    alipay_cert: str | None
    alipay_root_cert: str | None
    gateway_url: str | None
    v3_base_url: str | None
    private_key_sealed: bytes = field(repr=False)
    encrypt_key_sealed: bytes | None = field(repr=False)
    created_at: datetime
    retired_at: datetime | None
    former_alipay_public_key: str | None = None
    """Alipay's key from before the last change of it: it still verifies notifications for a while."""
    former_alipay_until: datetime | None = None

    @property
    def mode(self) -> str:
        """``"certificate"`` or ``"key"``."""
        return "key" if self.app_cert is None else "certificate"


@dataclass(frozen=True, slots=True)
class NewMerchant:
    """A merchant to be added; ``app_auth_token`` and ``auth_app_id`` in ISV mode only."""

    slug: str
    name: str
    app_id: str
    environment: str
    seller_id: str
    auth_app_id: str | None = None
    app_auth_token: str | None = field(default=None, repr=False)
    late_policy: LatePolicy = LatePolicy.PERSON
    duplicate_policy: DuplicatePolicy = DuplicatePolicy.PERSON


@dataclass(frozen=True, slots=True)
class Merchant:
    """For whom we collect: a seller id, reached through an App.

    ``app_row`` is the App's row, ``app_id`` Alipay's number of it. ``slug`` is in addresses.
    """

    id: int
    slug: str
    name: str
    app_row: int
    app_id: str
    environment: str
    seller_id: str
    auth_app_id: str | None
    late_policy: LatePolicy
    duplicate_policy: DuplicatePolicy
    app_auth_token_sealed: bytes | None = field(repr=False)
    created_at: datetime
    retired_at: datetime | None
    second_person_order_minor: int | None = None
    """Above this sum of one order's refunds, a further one takes two people; None: never."""
    second_person_day_minor: int | None = None
    """Above this sum of what one requester refunds in a day, a further refund takes two people."""
    second_person_shift_minor: int | None = None
    """Above this sum of what one shift at the till gives back, a further refund takes two people."""
    share_percent_max: int = 30
    """How many percent of a payment its agreement with Alipay lets be shared."""
    share_plan: str | None = None
    """By which plan every payment is shared that names no other."""
    share_cover: str = "person"
    """What becomes of a refund for which a receiver cannot give back: a person decides, or the seller
    pays."""
    direct_pay: bool = False
    """A merchant of 直付通 or 账期: a payment is held until its settlement is confirmed."""
    answered_at: datetime | None = None
    """When Alipay last answered a call in its name, to the minute or so."""


@dataclass(frozen=True, slots=True)
class OutgoingSwitch:
    """One turn of a merchant's switch for outgoing money: to what, why, by whom and when."""

    allowed: bool
    reason: str
    changed_by: str
    changed_at: datetime


class CheckResult(StrEnum):
    """What a live check found."""

    PROVED = "proved"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """A live check of keys: the result, and what Alipay said or what to do."""

    result: CheckResult
    detail: str
