"""The sweep over settlements that are due."""

from __future__ import annotations

from datetime import datetime

from daozhang.service.db import Tx
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.model import CHANGED_SIGNAL
from daozhang.service.settlements import store
from daozhang.service.settlements.requesting import (
    LEASE_SECONDS,
    SETTLEMENT_JOB,
    SETTLEMENTS_SIGNAL,
)
from daozhang.service.sweep import Sweep
from daozhang.service.web.context import Context


class SweepSettlements(Sweep):
    """Every settlement that is due gets its next attempt; those that an outgoing stop held back go on after it."""

    name = SETTLEMENTS_SIGNAL
    rows = store
    job = SETTLEMENT_JOB
    argument = "settlement_id"
    lease_seconds = LEASE_SECONDS

    def __init__(self, context: Context, jobs: Jobs) -> None:
        super().__init__(context, jobs)
        context.signals.listen(CHANGED_SIGNAL, lambda: context.signals.wake(SETTLEMENTS_SIGNAL))

    def prepare(self, tx: Tx, now: datetime) -> None:
        """Lets go what the merchant's switch for outgoing money holds no longer."""
        store.release_held(tx, now)

    def next_due(self) -> datetime | None:
        """When the earliest settlement is due: now, if outgoing money has been allowed again."""
        with self._context.database.read() as tx:
            if store.has_releasable(tx):
                return self._context.clock.now()
            return store.earliest_due(tx)
