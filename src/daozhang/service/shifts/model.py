"""What a shift is: one person at one till, from opening to handing over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class ShiftStatus(StrEnum):
    """Where a shift stands."""

    OPEN = "open"
    HANDED_OVER = "handed_over"  # counted and signed by who worked; nobody has taken it yet
    TAKEN = "taken"  # signed by somebody else as well


@dataclass(frozen=True, slots=True)
class Shift:
    """One person at one till of one merchant. ``operator_id`` is what orders and Alipay are told.

    ``counted`` is what the books said when it was handed over, and what was noted by hand beside
    it; it never changes afterwards.
    """

    id: int
    public_id: str
    merchant_id: int
    person_id: int
    person_name: str
    store_id: str
    terminal_id: str
    status: ShiftStatus
    opened_at: datetime
    handed_over_at: datetime | None = None
    counted: Mapping[str, Any] = field(default_factory=dict[str, Any])
    note: str | None = None
    taken_by: int | None = None
    taken_name: str | None = None
    taken_at: datetime | None = None
    taken_note: str | None = None

    @property
    def operator_id(self) -> str:
        """The person, as orders and refunds name them."""
        return operator_id(self.person_id)

    @property
    def is_open(self) -> bool:
        """Whether the till takes money for it."""
        return self.status is ShiftStatus.OPEN


def operator_id(person_id: int) -> str:
    """How orders and refunds name the person who made them."""
    return f"person-{person_id}"
