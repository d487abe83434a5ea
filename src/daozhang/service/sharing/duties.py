"""The sweeps over rounds and receivers that are due."""

from __future__ import annotations

from typing import Final

from daozhang.service.due import SweepHeld
from daozhang.service.sharing import register, store
from daozhang.service.sharing.actions import RECEIVERS_SIGNAL
from daozhang.service.sharing.requesting import LEASE_SECONDS, SHARE_JOB, SHARES_SIGNAL
from daozhang.service.sweep import Sweep

RECEIVER_JOB: Final = "share_receiver"
"""The name under which binding and unbinding wait in the queue."""


class SweepShares(SweepHeld):
    """Every round that is due gets its next attempt; those that an outgoing stop held back go on after it."""

    name = SHARES_SIGNAL
    rows = held = store.DUE_ROWS
    job = SHARE_JOB
    argument = "round_id"
    lease_seconds = LEASE_SECONDS


class SweepReceivers(Sweep):
    """Every receiver that is to be bound or unbound is, soon."""

    name = RECEIVERS_SIGNAL
    rows = register.DUE_ROWS
    job = RECEIVER_JOB
    argument = "receiver_id"
    lease_seconds = LEASE_SECONDS
