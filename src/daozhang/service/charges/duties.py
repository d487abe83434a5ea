"""The sweep over charges that are due: each gets its next step on the queue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from daozhang.service.charges import store
from daozhang.service.charges.requesting import CHARGES_SIGNAL
from daozhang.service.charges.rules import STEP_LEASE_SECONDS
from daozhang.service.duty import Duty
from daozhang.service.jobs import Jobs
from daozhang.service.web.context import Context

CHARGE_JOB: Final = "charge"
"""The name under which steps wait in the queue."""

BATCH_CHARGES: Final = 50


class SweepCharges(Duty):
    """Enqueues a step for every charge that is due, in its App's lane; rebuilds what the queue has
    lost. One whose last step still waits for its turn gets no other."""

    name = CHARGES_SIGNAL
    is_awaited = True

    def __init__(self, context: Context, jobs: Jobs) -> None:
        self._context = context
        self._jobs = jobs

    def run_due(self) -> int:
        """Claims a batch and enqueues its steps, in one transaction."""
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            lease_until = now + timedelta(seconds=STEP_LEASE_SECONDS)
            claimed = store.claim_due(tx, now, lease_until, BATCH_CHARGES)
            waiting = self._jobs.waiting(
                CHARGE_JOB, [_key(due.charge_id, due.attempt) for due in claimed]
            )
            begun = [due for due in claimed if _key(due.charge_id, due.attempt) not in waiting]
            store.count_attempts(tx, [due.charge_id for due in begun])
            for due in begun:
                self._jobs.enqueue(
                    tx,
                    CHARGE_JOB,
                    _key(due.charge_id, due.attempt + 1),
                    {"charge_id": due.charge_id},
                    lane=f"app:{due.app_row}",
                )
        return len(claimed)

    def next_due(self) -> datetime | None:
        """When the earliest charge is due."""
        with self._context.database.read() as tx:
            return store.earliest_due(tx)


def _key(charge_id: int, attempt: int) -> str:
    return f"{charge_id}:{attempt}"
