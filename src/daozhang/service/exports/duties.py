"""The duty that forgets files, and gives up what has come to nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from daozhang.service.duty import Duty
from daozhang.service.exports import store
from daozhang.service.exports.model import ExportStatus
from daozhang.service.exports.rules import STALE_SECONDS
from daozhang.service.web.context import Context

BATCH_ROWS_MAX: Final = 20


class ForgetExports(Duty):
    """Deletes files whose time is over; marks exports that stand still as failed."""

    name = "exports"

    def __init__(self, context: Context) -> None:
        self._context = context

    def run_due(self) -> int:
        """One batch of what is due."""
        now = self._context.clock.now()
        due = self.next_due()
        if due is None or due > now:
            return 0
        stale_before = now - timedelta(seconds=STALE_SECONDS)
        with self._context.database.begin() as tx:
            over = store.list_over(tx, now, stale_before, BATCH_ROWS_MAX)
            for export in over:
                store.delete_parts(tx, export.id)
                ended = ExportStatus.FAILED if export.is_open else ExportStatus.EXPIRED
                store.update_export(tx, export.id, status=ended.value, updated_at=now, ended_at=now)
        return len(over)

    def next_due(self) -> datetime | None:
        """When the first file's time is over, or the first export has stood still for too long."""
        with self._context.database.read() as tx:
            over, moved = store.earliest_over(tx)
        stale = None if moved is None else moved + timedelta(seconds=STALE_SECONDS)
        return min((due for due in (over, stale) if due is not None), default=None)
