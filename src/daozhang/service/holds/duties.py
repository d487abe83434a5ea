"""The sweep over holds that are due, and what is told of them by notification."""

from __future__ import annotations

from typing import Final

from daozhang.alipay.consents import HoldNotification
from daozhang.alipay.notifications import Notification
from daozhang.service.db import Tx
from daozhang.service.holds import store
from daozhang.service.holds.actions import ask_soon
from daozhang.service.holds.rules import STEP_LEASE_SECONDS
from daozhang.service.holds.settling import HOLDS_SIGNAL, lock_hold, tell_person
from daozhang.service.holds.telling import NOTICES
from daozhang.service.sweep import Sweep
from daozhang.service.web.context import Context

HOLD_JOB: Final = "hold"
"""The name under which steps wait in the queue."""

NOTIFY_TYPES: Final = tuple(NOTICES)
"""What Alipay tells of holds."""


class SweepHolds(Sweep):
    """Every hold that is due gets its next step."""

    name = HOLDS_SIGNAL
    rows = store.DUE_ROWS
    job = HOLD_JOB
    argument = "hold_id"
    lease_seconds = STEP_LEASE_SECONDS


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
