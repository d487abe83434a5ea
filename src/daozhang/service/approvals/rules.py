"""When a second person is asked, and who may be one. Pure; sources: money.md §5, §7."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from daozhang.service.approvals.model import Approval, ApprovalStatus

PENDING_SECONDS: Final = 3 * 24 * 3600
"""What nobody decides in three days is asked for again, or not at all."""

NOTE_CHARACTERS_MAX: Final = 256


def is_open(approval: Approval, now: datetime) -> bool:
    """Whether it can still be decided."""
    return approval.status is ApprovalStatus.PENDING and now < approval.expires_at


def asked_for_it(approval: Approval, approver: str) -> bool:
    """Whether ``approver`` asked for it themselves, or made the API key that did."""
    return approver in (approval.requested_by, approval.content.get(MADE_BY))


MADE_BY: Final = "api_key_made_by"
"""In the content of what an API key asks for: who made the key."""
