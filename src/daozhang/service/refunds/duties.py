"""The sweep over due refunds: each gets its next attempt on the queue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from daozhang.service.duty import Duty
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.model import CHANGED_SIGNAL
from daozhang.service.refunds import store
from daozhang.service.refunds.requesting import (
    LEASE_SECONDS,
    REFUND_JOB,
    attempt_key,
    enqueue_attempt,
)
from daozhang.service.refunds.settling import REFUNDS_SIGNAL
from daozhang.service.web.context import Context

BANK_JOB: Final = "refund_bank"
"""The name under which questions about banks wait in the queue."""

BATCH_REFUNDS: Final = 50


class SweepRefunds(Duty):
    """Enqueues an attempt for every refund that is due; rebuilds whatever the queue has lost.

    One whose last attempt still waits for its turn gets no other: in a flood of refunds they would
    take each other's turns.
    """

    name = REFUNDS_SIGNAL
    is_awaited = True

    def __init__(self, context: Context, jobs: Jobs) -> None:
        self._context = context
        self._jobs = jobs
        context.signals.listen(CHANGED_SIGNAL, lambda: context.signals.wake(REFUNDS_SIGNAL))

    def run_due(self) -> int:
        """Claims a batch and enqueues its attempts, in one transaction."""
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            store.release_held(tx, now)
            lease_until = now + timedelta(seconds=LEASE_SECONDS)
            claimed = store.claim_due(tx, now, lease_until, BATCH_REFUNDS)
            waiting = self._jobs.waiting(
                REFUND_JOB, [attempt_key(due.refund_id, due.attempt) for due in claimed]
            )
            begun = [
                due for due in claimed if attempt_key(due.refund_id, due.attempt) not in waiting
            ]
            store.count_attempts(tx, [due.refund_id for due in begun])
            for due in begun:
                enqueue_attempt(tx, self._jobs, due.refund_id, due.attempt + 1, due.app_row)
        return len(claimed)

    def next_due(self) -> datetime | None:
        """When the earliest refund is due: now, if outgoing money has been allowed again."""
        with self._context.database.read() as tx:
            if store.has_releasable(tx):
                return self._context.clock.now()
            return store.earliest_due(tx)


class AskBanks(Duty):
    """Asks after refunds to bank cards of which nobody has told where they landed."""

    name = "refund_banks"

    def __init__(self, context: Context, jobs: Jobs) -> None:
        self._context = context
        self._jobs = jobs

    def run_due(self) -> int:
        """Claims a batch and enqueues its questions, in one transaction."""
        now = self._context.clock.now()
        lease_until = now + timedelta(days=1)
        with self._context.database.begin() as tx:
            claimed = store.claim_at_bank(tx, now, lease_until, BATCH_REFUNDS)
            for due in claimed:
                self._jobs.enqueue(
                    tx,
                    BANK_JOB,
                    f"{due.refund_id}:{due.attempt}",
                    {"refund_id": due.refund_id},
                    lane=f"app:{due.app_row}",
                )
        return len(claimed)

    def next_due(self) -> datetime | None:
        """When a bank is asked after next."""
        with self._context.database.read() as tx:
            return store.earliest_at_bank(tx)
