"""Decisions about keys that are not in use yet. Pure: values in, a decision out."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from daozhang.service.approvals.model import ApprovalStatus
from daozhang.service.keys.model import ChangeKind, ChangeNow

ASK_SECONDS: Final = 15
ASK_FOR_SECONDS: Final = 3600
"""For an hour after somebody touched it Alipay is asked by itself, so that the key is taken in the
moment in which Alipay takes it; after that, when somebody asks."""

FORMER_SECONDS: Final = 48 * 3600
"""How long Alipay's former key still verifies: notifications are repeated for 25 hours."""

DRAFT_DAYS: Final = 30

_SIXTEEN = re.compile(r"(?<![0-9])[0-9]{16}(?![0-9])", re.ASCII)
_PARTNER: Final = "2088"


def ask_next(now: datetime, touched_at: datetime) -> datetime | None:
    """When Alipay is asked again by itself."""
    ends = touched_at + timedelta(seconds=ASK_FOR_SECONDS)
    again = now + timedelta(seconds=ASK_SECONDS)
    return again if again <= ends else None


def former_until(now: datetime) -> datetime:
    """Until when Alipay's former key still verifies."""
    return now + timedelta(seconds=FORMER_SECONDS)


def may_act(now: ChangeNow) -> bool:
    """Whether a key is taken into use: it is proved, and Alipay's is approved by a second owner."""
    if now.change.proved_at is None:
        return False
    if now.change.kind is ChangeKind.OWN:
        return True
    return now.approval is not None and now.approval.status is ApprovalStatus.APPROVED


def is_dead(now: ChangeNow) -> bool:
    """Whether nobody will approve it any more."""
    return now.approval is not None and now.approval.status not in (
        ApprovalStatus.PENDING,
        ApprovalStatus.APPROVED,
    )


def named_app(subject: str, app_id: str) -> str | None:
    """Which other app a certificate's subject names; ``None`` if it names this one, or none.

    A subject holds the company's name, and a partner's number (2088…) or an app's.
    """
    numbers = [one for one in _SIXTEEN.findall(subject) if not one.startswith(_PARTNER)]
    return None if not numbers or app_id in numbers else numbers[0]
