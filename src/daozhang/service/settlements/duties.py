"""The sweep over settlements that are due."""

from __future__ import annotations

from daozhang.service.due import SweepHeld
from daozhang.service.settlements import store
from daozhang.service.settlements.requesting import (
    LEASE_SECONDS,
    SETTLEMENT_JOB,
    SETTLEMENTS_SIGNAL,
)


class SweepSettlements(SweepHeld):
    """Every settlement that is due gets its next attempt; those that an outgoing stop held back go on after it."""

    name = SETTLEMENTS_SIGNAL
    rows = held = store.DUE_ROWS
    job = SETTLEMENT_JOB
    argument = "settlement_id"
    lease_seconds = LEASE_SECONDS
