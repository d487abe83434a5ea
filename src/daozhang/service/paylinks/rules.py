"""When a link can be paid at, and what. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from daozhang.money import Money
from daozhang.service.orders.model import Order, OrderStatus, Way
from daozhang.service.paylinks.model import PayLink, Standing

NOTE_CHARACTERS_MAX: Final = 200
DAYS_MAX: Final = 366
OPEN_ORDERS_MAX: Final = 100
"""So many unpaid orders of one link at a time: a stranger who presses the button all night fills
neither the books nor the questions to Alipay."""

LEFT_SECONDS_MIN: Final = 60
"""A buyer needs a minute, and Alipay asks for one (apis.md §1.1)."""

_FORM_KEY: Final = re.compile(r"[A-Za-z0-9_-]{16,43}", re.ASCII)


def is_form_key(text: str) -> bool:
    """Whether ``text`` is what a form of ours carries, so that sending it twice does nothing twice."""
    return _FORM_KEY.fullmatch(text) is not None


def standing(link: PayLink, now: datetime, *, is_paid: bool) -> Standing:
    """Where a link stands. That it was paid comes first: it is what the payer wants to know."""
    if link.once and is_paid:
        return Standing.PAID
    if link.closed_at is not None:
        return Standing.CLOSED
    left = timedelta(seconds=LEFT_SECONDS_MIN)
    over = link.expires_at is not None and now + left > link.expires_at
    return Standing.EXPIRED if over else Standing.OPEN


def takes(link: PayLink, amount: Money) -> bool:
    """Whether ``amount`` may be paid at the link."""
    if link.amount is not None:
        return amount == link.amount
    above = link.least is None or amount >= link.least
    return above and (link.most is None or amount <= link.most)


def expiry(link: PayLink, now: datetime, seconds: int) -> datetime:
    """When an order that is made now runs out: with its link at the latest."""
    until = now + timedelta(seconds=seconds)
    if link.expires_at is not None:
        until = min(until, link.expires_at)
    return until.replace(microsecond=0)


def can_go_on(order: Order, way: Way, amount: Money, now: datetime) -> bool:
    """Whether whoever comes next to a link for one payment pays this same order.

    So that two people who hold the link can pay it once: Alipay takes one payment for one number.
    """
    unpaid = order.status in (OrderStatus.CREATED, OrderStatus.WAITING)
    left = order.expires_at - now >= timedelta(seconds=LEFT_SECONDS_MIN)
    return unpaid and left and order.way is way and order.amount == amount
