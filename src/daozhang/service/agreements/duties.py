"""The sweep over agreements that are due, and what is told of them by notification."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from daozhang.alipay.consents import AgreementNotification
from daozhang.alipay.notifications import Notification
from daozhang.service.agreements import store
from daozhang.service.agreements.actions import ask_soon
from daozhang.service.agreements.rules import STEP_LEASE_SECONDS
from daozhang.service.agreements.settling import (
    AGREEMENTS_SIGNAL,
    lock_agreement,
    tell_person,
)
from daozhang.service.db import Tx
from daozhang.service.duty import Duty
from daozhang.service.jobs import Jobs
from daozhang.service.web.context import Context

AGREEMENT_JOB: Final = "agreement"
"""The name under which steps wait in the queue."""

BATCH_AGREEMENTS: Final = 50

NOTIFY_TYPES: Final = ("dut_user_sign", "dut_user_unsign")
"""What Alipay tells of agreements."""


class SweepAgreements(Duty):
    """Enqueues a step for every agreement that is due, in its App's lane; rebuilds what the queue has
    lost. One whose last step still waits for its turn gets no other."""

    name = AGREEMENTS_SIGNAL
    is_awaited = True

    def __init__(self, context: Context, jobs: Jobs) -> None:
        self._context = context
        self._jobs = jobs

    def run_due(self) -> int:
        """Claims a batch and enqueues its steps, in one transaction."""
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            lease_until = now + timedelta(seconds=STEP_LEASE_SECONDS)
            claimed = store.claim_due(tx, now, lease_until, BATCH_AGREEMENTS)
            keys = [_key(due.agreement_id, due.attempt) for due in claimed]
            waiting = self._jobs.waiting(AGREEMENT_JOB, keys)
            begun = [due for due in claimed if _key(due.agreement_id, due.attempt) not in waiting]
            store.count_attempts(tx, [due.agreement_id for due in begun])
            for due in begun:
                self._jobs.enqueue(
                    tx,
                    AGREEMENT_JOB,
                    _key(due.agreement_id, due.attempt + 1),
                    {"agreement_id": due.agreement_id},
                    lane=f"app:{due.app_row}",
                )
        return len(claimed)

    def next_due(self) -> datetime | None:
        """When the earliest agreement is due."""
        with self._context.database.read() as tx:
            return store.earliest_due(tx)


def take_notice(tx: Tx, context: Context, merchant_id: int, told: Notification) -> str:
    """Takes a notification about an agreement: Alipay is asked, and its answer is the fact (decision 18).

    What cannot be about the agreement is for a person.
    """
    if not isinstance(told, AgreementNotification) or not told.external_agreement_no:
        return "kept; it names no agreement of ours"
    found = store.find_of_merchant(tx, merchant_id, told.external_agreement_no)
    if found is None:
        return "kept; the agreement it names is none of ours"
    agreement = lock_agreement(tx, found.id)
    differs = [
        name
        for name, mine, said in (
            ("agreement_no", agreement.agreement_no, told.agreement_no),
            ("app_id", agreement.app_id, told.app_id),
            ("personal_product_code", agreement.personal_product_code, told.personal_product_code),
        )
        if mine and said and mine != said
    ]
    if differs:
        detail = f"notification {told.notify_id}: {', '.join(differs)} of another agreement"
        tell_person(tx, context, agreement, "agreement_notice_differs", detail, context.clock.now())
        return f"{', '.join(differs)} differs: a person is told"
    ask_soon(tx, context, agreement)
    return f"{told.kind}: Alipay is asked"


def _key(agreement_id: int, attempt: int) -> str:
    return f"{agreement_id}:{attempt}"
