"""The sweep over silent orders: everything that Alipay may still tell us is asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

import structlog

from daozhang.service.duty import Duty
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.orders import store

LEASE_SECONDS: Final = 120
"""After this an order is due again whose question died with the process that asked."""

BATCH_ORDERS: Final = 32
PARALLEL_QUESTIONS: Final = 8

log = structlog.get_logger(__name__)


class AskSilentOrders(Duty):
    """Asks about each order whose query is due, on the growing schedule of orders/rules."""

    name = "silent_orders"
    is_awaited = True

    def __init__(self, inquirer: Inquirer) -> None:
        self._inquirer = inquirer
        self._context = inquirer.context
        self._threads = ThreadPoolExecutor(PARALLEL_QUESTIONS, thread_name_prefix="inquiry")

    def run_due(self) -> int:
        """Claims a batch, asks in parallel, and returns how many orders were asked about."""
        now = self._context.clock.now()
        lease_until = now + timedelta(seconds=LEASE_SECONDS)
        with self._context.database.begin() as tx:
            claimed = store.claim_silent(tx, now, lease_until, BATCH_ORDERS)
        for result in [self._threads.submit(self._ask, order_id) for order_id, _ in claimed]:
            result.result()
        return len(claimed)

    def next_due(self) -> datetime | None:
        """When the earliest question is due."""
        with self._context.database.read() as tx:
            return store.earliest_query(tx)

    def close(self) -> None:
        """Ends the threads; what was claimed is due again after the lease."""
        self._threads.shutdown(wait=True)

    def _ask(self, order_id: int) -> None:
        with self._context.database.read() as tx:
            order = store.find_order_by_id(tx, order_id)
        assert order is not None
        self._inquirer.inquire(self._inquirer.expire(order))
