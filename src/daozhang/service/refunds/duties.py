"""The sweep over due refunds: each gets its next attempt on the queue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from daozhang.service.db import Tx
from daozhang.service.duty import Duty
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.model import CHANGED_SIGNAL
from daozhang.service.refunds import store
from daozhang.service.refunds.requesting import LEASE_SECONDS, REFUND_JOB
from daozhang.service.refunds.settling import REFUNDS_SIGNAL
from daozhang.service.sharing import store as share_store
from daozhang.service.sharing.requesting import RETURNS_SIGNAL
from daozhang.service.sweep import BATCH_ROWS, Sweep, enqueue_step
from daozhang.service.web.context import Context

BANK_JOB: Final = "refund_bank"
"""The name under which questions about banks wait in the queue."""

RETURNS_JOB: Final = "share_returns"
"""The name under which questions about what came back of shares wait in the queue."""


class SweepRefunds(Sweep):
    """Every refund that is due gets its next attempt; those that an outgoing stop held back go on after it."""

    name = REFUNDS_SIGNAL
    rows = store
    job = REFUND_JOB
    argument = "refund_id"
    lease_seconds = LEASE_SECONDS

    def __init__(self, context: Context, jobs: Jobs) -> None:
        super().__init__(context, jobs)
        context.signals.listen(CHANGED_SIGNAL, lambda: context.signals.wake(REFUNDS_SIGNAL))

    def prepare(self, tx: Tx, now: datetime) -> None:
        """Lets go what the merchant's switch for outgoing money holds no longer."""
        store.release_held(tx, now)

    def next_due(self) -> datetime | None:
        """When the earliest refund is due: now, if outgoing money has been allowed again."""
        with self._context.database.read() as tx:
            if store.has_releasable(tx):
                return self._context.clock.now()
            return store.earliest_due(tx)


class AskReturns(Duty):
    """Asks what came back of shares with refunds that were made before it was known that there are shares."""

    name = RETURNS_SIGNAL

    def __init__(self, context: Context, jobs: Jobs) -> None:
        self._context = context
        self._jobs = jobs

    def run_due(self) -> int:
        """Claims a batch of rounds and enqueues their questions, in one transaction."""
        now = self._context.clock.now()
        lease_until = now + timedelta(seconds=LEASE_SECONDS)
        with self._context.database.begin() as tx:
            claimed = share_store.claim_returns(tx, now, lease_until, BATCH_ROWS)
            for due in claimed:
                args = {"round_id": due.row_id}
                enqueue_step(tx, self._jobs, RETURNS_JOB, due.attempt, args, due.app_row)
        return len(claimed)

    def next_due(self) -> datetime | None:
        """When it is asked next what came back."""
        with self._context.database.read() as tx:
            return share_store.earliest_returns(tx)


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
            claimed = store.claim_at_bank(tx, now, lease_until, BATCH_ROWS)
            for due in claimed:
                args = {"refund_id": due.refund_id}
                enqueue_step(tx, self._jobs, BANK_JOB, due.attempt, args, due.app_row)
        return len(claimed)

    def next_due(self) -> datetime | None:
        """When a bank is asked after next."""
        with self._context.database.read() as tx:
            return store.earliest_at_bank(tx)
