"""What a pay link is: for which amount, how often, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from daozhang.money import Money


class Standing(StrEnum):
    """Whether somebody can pay at a link, or why not."""

    OPEN = "open"
    PAID = "paid"  # it was for one payment, which has arrived
    EXPIRED = "expired"
    CLOSED = "closed"  # by a person


@dataclass(frozen=True, slots=True)
class PayLink:
    """A link. Either ``amount`` is fixed, or the payer chooses from ``least`` to ``most``.

    ``token`` is its address: whoever knows it can pay, and do nothing else.
    """

    id: int
    public_id: str
    token: str
    merchant_id: int
    amount: Money | None
    least: Money | None
    most: Money | None
    once: bool
    subject: str
    note: str | None
    created_by: int
    created_name: str
    created_at: datetime
    store_id: str | None = None
    terminal_id: str | None = None
    expires_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewPayLink:
    """What a person asks for. ``form_key`` is the form's: sent twice, it is one link."""

    form_key: str
    amount: Money | None
    least: Money | None
    most: Money | None
    once: bool
    subject: str
    note: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Brought:
    """What a link brought in: payments that arrived, their sum, and what went back of it."""

    payments: int
    received: Money
    refunded: Money

    @property
    def is_paid(self) -> bool:
        """Whether a payment has arrived, whatever became of it afterwards."""
        return self.payments > 0
