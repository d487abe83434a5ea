"""When something is forgotten. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from daozhang.clock import BEIJING

QUIET_HOUR: Final = 3
"""Forgetting happens once a day, at three in the morning in Beijing, and not row by row all day."""

PERSONAL: Final = ("buyer_id", "buyer_open_id", "buyer_logon_id")
"""What in a payment says who paid."""


def cutoff(now: datetime, days: int) -> datetime:
    """What is as old as this, or older, is forgotten."""
    local = now.astimezone(BEIJING)
    quiet = local.replace(hour=QUIET_HOUR, minute=0, second=0, microsecond=0)
    if quiet > local:
        quiet -= timedelta(days=1)
    return quiet.astimezone(now.tzinfo) - timedelta(days=days)


def forgotten_at(learned_at: datetime, days: int) -> datetime:
    """When something is forgotten that was learned at ``learned_at``: kept until then."""
    over = learned_at + timedelta(days=days)
    local = over.astimezone(BEIJING)
    quiet = local.replace(hour=QUIET_HOUR, minute=0, second=0, microsecond=0)
    if quiet < local:
        quiet += timedelta(days=1)
    return quiet.astimezone(over.tzinfo)


def without_names(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """The parameters of a charge without what says who pays; ``None`` if there is nothing to take out."""
    if not any(given.get(name) for name in PERSONAL):
        return None
    return {name: value for name, value in given.items() if name not in PERSONAL}


def without_buyer(payment: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """``payment`` without what says who paid; ``None`` if there is nothing to take out."""
    return None if payment is None else without_names(payment)
