"""What the pages of merchants and keys show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from daozhang.console.states import Tone
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.approvals.model import ApprovalStatus
from daozhang.service.inbox.routes import NOTIFY_PATH
from daozhang.service.keys.model import ChangeKind, ChangeNow, ChangeStatus
from daozhang.service.merchants.model import (
    App,
    DuplicatePolicy,
    LatePolicy,
    Merchant,
    OutgoingSwitch,
)
from daozhang.service.watch.model import Key

DAYS_SOON: Final = 30
DAYS_NEAR: Final = 14
DAYS_URGENT: Final = 7

KINDS: Final[Mapping[str, str]] = {
    "app_key": word("The app's own key"),
    "alipay_key": word("Alipay's public key"),
    "app_cert": word("The app's certificate"),
    "alipay_cert": word("Alipay's certificate"),
    "alipay_root_cert": word("Alipay's root certificates"),
    "unreadable": word("The keys cannot be opened"),
}

LATE: Final[Mapping[LatePolicy, str]] = {
    LatePolicy.PERSON: word("A person decides"),
    LatePolicy.FULFIL: word("It counts as paid"),
    LatePolicy.REFUND: word("It is sent back"),
}

DUPLICATE: Final[Mapping[DuplicatePolicy, str]] = {
    DuplicatePolicy.PERSON: word("A person decides"),
    DuplicatePolicy.REFUND_LATER: word("The later one is sent back"),
}


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key or certificate in use. ``tone`` is ``None`` for what does not end soon."""

    kind: str
    name: str
    short: str
    fingerprint: str
    serial: str
    not_after: datetime | None
    days: int | None
    tone: Tone | None


@dataclass(frozen=True, slots=True)
class MerchantRow:
    """A merchant in the list."""

    merchant: Merchant
    address: str
    notify_url: str
    notified_at: datetime | None
    stopped: OutgoingSwitch | None


@dataclass(frozen=True, slots=True)
class AppCard:
    """An app with its keys and merchants."""

    app: App
    name: str
    address: str
    keys: Sequence[KeyRow]
    merchants: Sequence[MerchantRow]
    waiting: Sequence[ChangeNow]


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A new key, and for what it waits."""

    now: ChangeNow
    is_own: bool
    """Whether it is the app's own key, not Alipay's."""
    is_mine: bool
    """Whether the visitor asked for it: then another owner approves."""
    needs_proof: bool
    needs_approval: bool
    refused: bool
    """Whether nobody will approve it any more."""
    ended: str | None


def key_rows(visit: Visit, keys: Sequence[Key]) -> list[KeyRow]:
    """``keys`` with what ends when."""
    now = visit.context.clock.now()
    rows: list[KeyRow] = []
    for key in keys:
        left = None if key.not_after is None else key.not_after - now
        days = None if left is None else left // timedelta(days=1)
        bad = key.kind == "unreadable"
        rows.append(
            KeyRow(
                kind=key.kind,
                name=visit.t(KINDS[key.kind]),
                short=key.fingerprint[:16],
                fingerprint=key.fingerprint,
                serial=key.serial,
                not_after=key.not_after,
                days=days,
                tone="bad" if bad else tone_of_ending(days),
            )
        )
    return rows


def tone_of_ending(days: int | None) -> Tone | None:
    """How urgent it is that something ends in so many days; ``None`` if it is not."""
    if days is None or days > DAYS_SOON:
        return None
    return "bad" if days <= DAYS_URGENT else "warn" if days <= DAYS_NEAR else "busy"


def notify_url(visit: Visit, merchant: Merchant) -> str:
    """Where Alipay sends this merchant's notifications."""
    return f"{visit.context.settings.public_url}{NOTIFY_PATH}{merchant.slug}"


def change_view(visit: Visit, now: ChangeNow) -> ChangeView:
    """``now`` as the visitor sees it."""
    change, approval = now.change, now.approval
    status = None if approval is None else approval.status
    open_ = change.status is ChangeStatus.WAITING
    return ChangeView(
        now=now,
        is_own=change.kind is ChangeKind.OWN,
        is_mine=change.asked_by == str(visit.who.actor),
        needs_proof=open_ and change.proved_at is None,
        needs_approval=open_ and status is ApprovalStatus.PENDING,
        refused=open_ and status not in (None, ApprovalStatus.PENDING, ApprovalStatus.APPROVED),
        ended=None if open_ else _ended(visit, now),
    )


def _ended(visit: Visit, now: ChangeNow) -> str:
    if now.change.status is ChangeStatus.DONE:
        return visit.t("In use")
    return visit.t("Dropped")


def amount_text(minor: int | None) -> str:
    """An amount in its field; empty for none."""
    return "" if minor is None else str(Money(minor, "CNY"))
