"""The sweep over payments at the till that are due: each gets its next step on the queue."""

from __future__ import annotations

from typing import Final

from daozhang.service.sweep import Sweep
from daozhang.service.till import store
from daozhang.service.till.rules import STEP_LEASE_SECONDS
from daozhang.service.till.scanning import TILL_SIGNAL

TILL_JOB: Final = "till"
"""The name under which steps wait in the queue."""


class SweepTill(Sweep):
    """Every payment at the till that is due gets its next step."""

    name = TILL_SIGNAL
    rows = store.DUE_ROWS
    job = TILL_JOB
    argument = "payment_id"
    lease_seconds = STEP_LEASE_SECONDS
