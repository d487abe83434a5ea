"""The sweep over due refunds: each gets its next attempt on the queue."""

from __future__ import annotations

from typing import Final

from daozhang.service.due import SweepHeld
from daozhang.service.refunds import store
from daozhang.service.refunds.requesting import LEASE_SECONDS, REFUND_JOB
from daozhang.service.refunds.settling import REFUNDS_SIGNAL
from daozhang.service.sharing import store as share_store
from daozhang.service.sharing.requesting import RETURNS_SIGNAL
from daozhang.service.sweep import Sweep

BANK_JOB: Final = "refund_bank"
"""The name under which questions about banks wait in the queue."""

RETURNS_JOB: Final = "share_returns"
"""The name under which questions about what came back of shares wait in the queue."""


class SweepRefunds(SweepHeld):
    """Every refund that is due gets its next attempt; those that an outgoing stop held back go on after it."""

    name = REFUNDS_SIGNAL
    rows = held = store.DUE_ROWS
    job = REFUND_JOB
    argument = "refund_id"
    lease_seconds = LEASE_SECONDS


class AskReturns(Sweep):
    """Asks what came back of shares with refunds that were made before it was known that there are shares."""

    name = RETURNS_SIGNAL
    is_awaited = False
    rows = share_store.RETURNS_ROWS
    job = RETURNS_JOB
    argument = "round_id"
    lease_seconds = LEASE_SECONDS


class AskBanks(Sweep):
    """Asks after refunds to bank cards of which nobody has told where they landed."""

    name = "refund_banks"
    is_awaited = False
    rows = store.AT_BANK_ROWS
    job = BANK_JOB
    argument = "refund_id"
    lease_seconds = 86_400
