"""The sweep over receipts of accounts that are due."""

from __future__ import annotations

from typing import Final

from daozhang.service.receipts import store
from daozhang.service.receipts.actions import ACCOUNT_RECEIPT_JOB, RECEIPTS_SIGNAL
from daozhang.service.sweep import Sweep

STEP_LEASE_SECONDS: Final = 120


class SweepAccountReceipts(Sweep):
    """Every receipt that is due gets its next step."""

    name = RECEIPTS_SIGNAL
    is_awaited = False
    rows = store.DUE_ROWS
    job = ACCOUNT_RECEIPT_JOB
    argument = "receipt_id"
    lease_seconds = STEP_LEASE_SECONDS
