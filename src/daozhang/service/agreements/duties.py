"""The sweep over agreements that are due, and what is told of them by notification."""

from __future__ import annotations

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
from daozhang.service.agreements.telling import NOTICES
from daozhang.service.db import Tx
from daozhang.service.sweep import Sweep
from daozhang.service.web.context import Context

AGREEMENT_JOB: Final = "agreement"
"""The name under which steps wait in the queue."""

NOTIFY_TYPES: Final = tuple(NOTICES)
"""What Alipay tells of agreements."""


class SweepAgreements(Sweep):
    """Every agreement that is due gets its next step."""

    name = AGREEMENTS_SIGNAL
    rows = store.DUE_ROWS
    job = AGREEMENT_JOB
    argument = "agreement_id"
    lease_seconds = STEP_LEASE_SECONDS


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
