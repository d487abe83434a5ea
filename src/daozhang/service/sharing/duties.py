"""The sweeps over rounds and receivers that are due."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from daozhang.service.db import Tx
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.model import CHANGED_SIGNAL
from daozhang.service.sharing import register, store
from daozhang.service.sharing.actions import RECEIVERS_SIGNAL
from daozhang.service.sharing.requesting import LEASE_SECONDS, SHARE_JOB, SHARES_SIGNAL
from daozhang.service.sweep import Sweep
from daozhang.service.web.context import Context

RECEIVER_JOB: Final = "share_receiver"
"""The name under which binding and unbinding wait in the queue."""


class SweepShares(Sweep):
    """Every round that is due gets its next attempt; those that an outgoing stop held back go on after it."""

    name = SHARES_SIGNAL
    rows = store
    job = SHARE_JOB
    argument = "round_id"
    lease_seconds = LEASE_SECONDS

    def __init__(self, context: Context, jobs: Jobs) -> None:
        super().__init__(context, jobs)
        context.signals.listen(CHANGED_SIGNAL, lambda: context.signals.wake(SHARES_SIGNAL))

    def prepare(self, tx: Tx, now: datetime) -> None:
        """Lets go what the merchant's switch for outgoing money holds no longer."""
        store.release_held(tx, now)

    def next_due(self) -> datetime | None:
        """When the earliest round is due: now, if outgoing money has been allowed again."""
        with self._context.database.read() as tx:
            if store.has_releasable(tx):
                return self._context.clock.now()
            return store.earliest_due(tx)


class SweepReceivers(Sweep):
    """Every receiver that is to be bound or unbound is, soon."""

    name = RECEIVERS_SIGNAL
    rows = register
    job = RECEIVER_JOB
    argument = "receiver_id"
    lease_seconds = LEASE_SECONDS
