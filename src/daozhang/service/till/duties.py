"""The sweep over payments at the till that are due: each gets its next step on the queue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from daozhang.service.duty import Duty
from daozhang.service.jobs import Jobs
from daozhang.service.till import store
from daozhang.service.till.rules import STEP_LEASE_SECONDS
from daozhang.service.till.scanning import TILL_SIGNAL
from daozhang.service.web.context import Context

TILL_JOB: Final = "till"
"""The name under which steps wait in the queue."""

BATCH_PAYMENTS: Final = 50


class SweepTill(Duty):
    """Enqueues a step for every payment that is due, in its App's lane; rebuilds what the queue has
    lost. One whose last step still waits for its turn gets no other."""

    name = TILL_SIGNAL
    is_awaited = True

    def __init__(self, context: Context, jobs: Jobs) -> None:
        self._context = context
        self._jobs = jobs

    def run_due(self) -> int:
        """Claims a batch and enqueues its steps, in one transaction."""
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            lease_until = now + timedelta(seconds=STEP_LEASE_SECONDS)
            claimed = store.claim_due(tx, now, lease_until, BATCH_PAYMENTS)
            waiting = self._jobs.waiting(
                TILL_JOB, [_key(due.payment_id, due.attempt) for due in claimed]
            )
            begun = [due for due in claimed if _key(due.payment_id, due.attempt) not in waiting]
            store.count_attempts(tx, [due.payment_id for due in begun])
            for due in begun:
                self._jobs.enqueue(
                    tx,
                    TILL_JOB,
                    _key(due.payment_id, due.attempt + 1),
                    {"payment_id": due.payment_id},
                    lane=f"app:{due.app_row}",
                )
        return len(claimed)

    def next_due(self) -> datetime | None:
        """When the earliest payment is due."""
        with self._context.database.read() as tx:
            return store.earliest_due(tx)


def _key(payment_id: int, attempt: int) -> str:
    return f"{payment_id}:{attempt}"
