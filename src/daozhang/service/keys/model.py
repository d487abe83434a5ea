"""Drafts of Apps, and changes of keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from daozhang.service.approvals.model import Approval
from daozhang.service.merchants.model import CheckResult


@dataclass(frozen=True, slots=True)
class DraftContent:
    """What is known of an App that is being added. Rests sealed, the private key with all the rest."""

    environment: str = ""
    app_id: str = ""
    name: str = ""
    gateway_url: str | None = None
    v3_base_url: str | None = None
    private_key: str | None = field(default=None, repr=False)
    made_here: bool = False
    """Whether the key pair was made here, so that its public half has to be uploaded."""
    alipay_public_key: str | None = None
    app_cert: str | None = None
    alipay_cert: str | None = None
    alipay_root_cert: str | None = None
    proved_at: str | None = None
    """When a live answer of Alipay's verified with exactly this."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An App on its way in, of one person. ``public_key`` is the app's own, to be uploaded."""

    id: str
    person_id: int
    content: DraftContent
    public_key: str | None
    created_at: datetime


class ChangeKind(StrEnum):
    """Whose key changes."""

    OWN = "own"  # the app's: with what we sign
    ALIPAY = "alipay"  # Alipay's: with what it is verified that Alipay spoke


class ChangeStatus(StrEnum):
    """Where a change of keys stands."""

    WAITING = "waiting"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A key that is not in use yet. It acts once ``proved_at`` is there and, for Alipay's, a second
    owner has approved; until then the present one acts alone."""

    id: str
    app_row: int
    kind: ChangeKind
    status: ChangeStatus
    public_key: str
    """The public half, base64."""
    fingerprint: str
    app_cert: str | None
    alipay_cert: str | None
    alipay_root_cert: str | None
    private_key_sealed: bytes | None = field(repr=False)
    proved_at: datetime | None
    checked_at: datetime | None
    check_result: CheckResult | None
    check_detail: str | None
    ask_at: datetime | None
    """When Alipay is asked next by itself; None: only when a person asks."""
    approval_id: str | None
    asked_by: str
    asked_name: str
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChangeNow:
    """A change of keys, and what a second owner said of it, if one is asked."""

    change: KeyChange
    approval: Approval | None
