"""What nobody decides in time ends."""

from __future__ import annotations

from datetime import datetime

from daozhang.service.approvals import store
from daozhang.service.approvals.actions import expire_due
from daozhang.service.duty import Duty
from daozhang.service.web.context import Context


class ExpireApprovals(Duty):
    """Ends what waits for a second person once its time is over."""

    name = "approvals"

    def __init__(self, context: Context) -> None:
        self._context = context

    def run_due(self) -> int:
        """Ends a batch."""
        return expire_due(self._context)

    def next_due(self) -> datetime | None:
        """When the earliest one ends."""
        with self._context.database.read() as tx:
            return store.earliest_expiry(tx)
