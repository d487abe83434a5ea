"""What is looked for, and what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from daozhang.money import Money
from daozhang.service.orders.model import Order


@dataclass(frozen=True, slots=True)
class Sought:
    """What a person looks for. All of it has to fit; what is ``None`` or empty narrows nothing.

    ``text`` is words: each is a number of the order's, its amount, or stands in its subject.
    ``equal`` are columns of the order with their values.
    """

    text: str = ""
    equal: Mapping[str, Any] = field(default_factory=dict[str, Any])
    created_from: datetime | None = None
    created_before: datetime | None = None
    amount_from: Money | None = None
    amount_to: Money | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Orders, newest first. ``looked_to`` is the row down to which was looked if that is not the
    end, whether the page is full or enough was looked at for once: from there it goes on."""

    orders: Sequence[Order]
    looked_to: int | None
