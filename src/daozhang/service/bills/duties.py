"""What runs each morning: places for the bills that are expected, and the asking for those that are due."""

from __future__ import annotations

from datetime import datetime

from daozhang.clock import business_day
from daozhang.service.bills import rules, store
from daozhang.service.bills.fetching import BILL_JOB, BILLS_SIGNAL, LEASE
from daozhang.service.bills.model import StatementKind, StatementStatus
from daozhang.service.db import Tx
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.model import CHANGED_SIGNAL
from daozhang.service.sweep import Sweep
from daozhang.service.web.context import Context


class FetchBills(Sweep):
    """Every bill that is due is asked for; the place for the next day's is made when one's turn comes."""

    name = BILLS_SIGNAL
    is_awaited = False
    rows = store
    job = BILL_JOB
    argument = "statement_id"
    lease_seconds = int(LEASE.total_seconds())

    def __init__(self, context: Context, jobs: Jobs) -> None:
        super().__init__(context, jobs)
        context.signals.listen(CHANGED_SIGNAL, lambda: context.signals.wake(BILLS_SIGNAL))

    def run_due(self) -> int:
        """One batch of what is due."""
        if not self._context.settings.fetch_bills:
            return 0
        return super().run_due()

    def prepare(self, tx: Tx, now: datetime) -> None:
        """Makes places: for accounts that have none yet, and the day after each that is due now."""
        today = business_day(now)
        for environment, seller_id in store.list_sellers_without(tx):
            for kind in StatementKind:
                _expect(tx, environment, seller_id, kind, today.isoformat(), now)
        for statement in store.list_days_due(tx, now):
            _expect(
                tx,
                statement.environment,
                statement.seller_id,
                statement.kind,
                rules.next_period(statement.period),
                now,
            )

    def next_due(self) -> datetime | None:
        """When the next bill is asked for; now, if an account has no place for one yet."""
        if not self._context.settings.fetch_bills:
            return None
        with self._context.database.read() as tx:
            if store.list_sellers_without(tx):
                return self._context.clock.now()
            return store.earliest_due(tx)


def _expect(
    tx: Tx, environment: str, seller_id: str, kind: StatementKind, period: str, now: datetime
) -> None:
    store.insert_statement(
        tx,
        {
            "environment": environment,
            "seller_id": seller_id,
            "kind": kind.value,
            "period": period,
            "status": StatementStatus.WAITING.value,
            "due_at": rules.due_at(period),
            "created_at": now,
            "updated_at": now,
        },
    )
