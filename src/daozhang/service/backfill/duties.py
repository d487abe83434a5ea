"""The duty that posts what was booked without the ledger."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from daozhang.service.backfill import store
from daozhang.service.db import Tx
from daozhang.service.duty import Duty
from daozhang.service.ledger.model import EntryKind
from daozhang.service.ledger.store import known_keys
from daozhang.service.ledger.takings import post_new_takings, post_refund
from daozhang.service.orders.posting import RECEIVED, taking_of
from daozhang.service.web.context import Context

BATCH_STEPS_MAX: Final = 500
"""Steps in one transaction: on SQLite nobody else writes meanwhile."""

AGAIN_SECONDS: Final = 24 * 3600
"""After this nobody works with the code from before any more, which books and posts nothing
(docs/decisions/0016): what was booked since it began is gone through once more."""

LOOK_BACK_STEPS: Final = 10_000
"""How much of what was there at first is gone through once more as well: on PostgreSQL a step with a
lower number can be committed after one with a higher."""


class BackfillLedger(Duty):
    """Posts the payments and refunds of orders that were booked before the ledger was there."""

    name = "ledger_backfill"
    rest_seconds = 0.1
    """Between two batches: who takes money goes first."""

    def __init__(self, context: Context, *, batch_steps: int = BATCH_STEPS_MAX) -> None:
        self._context = context
        self._batch_steps = batch_steps

    def run_due(self) -> int:
        """Goes through a batch of each round that has begun; how many had one."""
        now = self._context.clock.now()
        with self._context.database.read() as tx:
            rounds = store.list_open_rounds(tx)
            has_begun = bool(rounds) or store.has_rounds(tx)
        if not has_begun:
            return self._begin(now)
        return sum(self._go_on(row["round"], now) for row in rounds if row["starts_at"] <= now)

    def next_due(self) -> datetime | None:
        """When the next round begins; now, if one has begun and is not through."""
        with self._context.database.read() as tx:
            rounds = store.list_open_rounds(tx)
            if rounds:
                return min(row["starts_at"] for row in rounds)
            return None if store.has_rounds(tx) else self._context.clock.now()

    def _begin(self, now: datetime) -> int:
        with self._context.database.begin() as tx:
            last = store.last_step(tx)
            rounds = [
                {
                    "round": 1,
                    "position": 0,
                    "upto": last,
                    "starts_at": now,
                    "ended_at": None if last else now,
                },
                {
                    "round": 2,
                    "position": max(last - LOOK_BACK_STEPS, 0),
                    "upto": None,
                    "starts_at": now + timedelta(seconds=AGAIN_SECONDS),
                    "ended_at": None,
                },
            ]
            return int(store.insert_rounds(tx, rounds))

    def _go_on(self, round_: int, now: datetime) -> int:
        with self._context.database.begin() as tx:
            row = store.lock_round(tx, round_)
            if row is None:
                return 0
            upto = store.last_step(tx) if row["upto"] is None else row["upto"]
            steps = store.list_steps_between(tx, row["position"], upto, self._batch_steps)
            self._post(tx, {order for _, order, status, _ in steps if status in RECEIVED})
            if steps:
                number, _, _, reached_at = steps[-1]
                store.update_round(tx, round_, position=number, upto=upto, reached_at=reached_at)
            if len(steps) < self._batch_steps:
                store.update_round(tx, round_, upto=upto, ended_at=now)
        return 1

    def _post(self, tx: Tx, order_ids: Collection[int]) -> None:
        """Posts what is not posted yet of those orders."""
        orders = {order.id: order for order in store.hold_orders(tx, order_ids)}
        known = known_keys(tx, EntryKind.PAYMENT, [str(number) for number in orders])
        new = [taking_of(order) for order in orders.values() if str(order.id) not in known]
        if new:
            post_new_takings(tx, new)
        refunds = store.list_succeeded(tx, orders)
        known = known_keys(tx, EntryKind.REFUND, [str(refund.id) for refund in refunds])
        for refund in refunds:
            if str(refund.id) not in known and refund.amount:
                taking = taking_of(orders[refund.order_id])
                at = refund.ended_at or refund.updated_at
                post_refund(tx, taking, str(refund.id), refund.amount, at)
