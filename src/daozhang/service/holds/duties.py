"""The sweep over holds that are due, and what is told of them by notification."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from daozhang.alipay.consents import HoldNotification
from daozhang.alipay.notifications import Notification
from daozhang.service.db import Tx
from daozhang.service.duty import Duty
from daozhang.service.holds import store
from daozhang.service.holds.actions import ask_soon
from daozhang.service.holds.rules import STEP_LEASE_SECONDS
from daozhang.service.holds.settling import HOLDS_SIGNAL, lock_hold, tell_person
from daozhang.service.jobs import Jobs
from daozhang.service.web.context import Context

HOLD_JOB: Final = "hold"
"""The name under which steps wait in the queue."""

BATCH_HOLDS: Final = 50

NOTIFY_TYPES: Final = ("fund_auth_freeze", "fund_auth_unfreeze", "fund_auth_operation_cancel")
"""What Alipay tells of holds."""


class SweepHolds(Duty):
    """Enqueues a step for every hold that is due, in its App's lane; rebuilds what the queue has lost.
    One whose last step still waits for its turn gets no other."""

    name = HOLDS_SIGNAL
    is_awaited = True

    def __init__(self, context: Context, jobs: Jobs) -> None:
        self._context = context
        self._jobs = jobs

    def run_due(self) -> int:
        """Claims a batch and enqueues its steps, in one transaction."""
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            lease_until = now + timedelta(seconds=STEP_LEASE_SECONDS)
            claimed = store.claim_due(tx, now, lease_until, BATCH_HOLDS)
            waiting = self._jobs.waiting(
                HOLD_JOB, [_key(due.hold_id, due.attempt) for due in claimed]
            )
            begun = [due for due in claimed if _key(due.hold_id, due.attempt) not in waiting]
            store.count_attempts(tx, [due.hold_id for due in begun])
            for due in begun:
                self._jobs.enqueue(
                    tx,
                    HOLD_JOB,
                    _key(due.hold_id, due.attempt + 1),
                    {"hold_id": due.hold_id},
                    lane=f"app:{due.app_row}",
                )
        return len(claimed)

    def next_due(self) -> datetime | None:
        """When the earliest hold is due."""
        with self._context.database.read() as tx:
            return store.earliest_due(tx)


def take_notice(tx: Tx, context: Context, merchant_id: int, told: Notification) -> str:
    """Takes a notification about a hold: Alipay is asked, and its answer is the fact.

    Captured notices name no seller, and a query tells how the hold stands while they tell what was done
    (decision 18). What cannot be about the hold is for a person.
    """
    if not isinstance(told, HoldNotification) or not told.out_order_no:
        return "kept; it names no hold"
    found = store.find_hold_of_merchant(tx, merchant_id, told.out_order_no)
    if found is None:
        return "kept; the hold it names is none of ours"
    hold = lock_hold(tx, found.id)
    differs = [
        name
        for name, mine, said in (
            ("auth_no", hold.auth_no, told.auth_no),
            ("app_id", hold.app_id, told.app_id),
            ("seller_id", hold.seller_id, told.payee_user_id),
        )
        if mine and said and mine != said
    ]
    if differs:
        detail = f"notification {told.notify_id}: {', '.join(differs)} of another hold"
        tell_person(tx, context, hold, "hold_notice_differs", detail, context.clock.now())
        return f"{', '.join(differs)} differs: a person is told"
    ask_soon(tx, context, hold)
    return f"{told.kind}: Alipay is asked"


def _key(hold_id: int, attempt: int) -> str:
    return f"{hold_id}:{attempt}"
