"""The sweep over charges that are due: each gets its next step on the queue."""

from __future__ import annotations

from typing import Final

from daozhang.service.charges import store
from daozhang.service.charges.requesting import CHARGES_SIGNAL
from daozhang.service.charges.rules import STEP_LEASE_SECONDS
from daozhang.service.sweep import Sweep

CHARGE_JOB: Final = "charge"
"""The name under which steps wait in the queue."""


class SweepCharges(Sweep):
    """Every charge that is due gets its next step."""

    name = CHARGES_SIGNAL
    rows = store.DUE_ROWS
    job = CHARGE_JOB
    argument = "charge_id"
    lease_seconds = STEP_LEASE_SECONDS
