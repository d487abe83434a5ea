"""What tests of closed months have in common: days that are over, bills that are read, days closed in their order."""

from __future__ import annotations

from datetime import date, timedelta

from daozhang.clock import business_day
from daozhang.service.closing.days import close_day
from daozhang.service.closing.months import agree_month, propose_month
from daozhang.service.closing.rules import last_of_month
from daozhang.service.merchants.model import Merchant
from daozhang.service.people.model import Person
from worlds import World

MARCH = date(2026, 3, 1)


def shop_of(world: World) -> Merchant:
    """The world's one merchant."""
    return world.service.clients.merchant(1)


def fetch(world: World, *periods: str) -> None:
    """Both bills of each day or month are asked for now, and read."""
    for period in periods:
        for kind in ("trade", "signcustomer"):
            asked = world.api.post(f"/v1/bills/{kind}/{period}/fetch")
            assert asked.status_code == 202, asked.text
    world.settle()


def fetch_days(world: World, first: date, last: date) -> None:
    """The bills of every day from ``first`` to ``last``."""
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    fetch(world, *(day.isoformat() for day in days))


def close_days(world: World, person: Person, first: date, last: date) -> None:
    """Closes every day from ``first`` to ``last``."""
    for number in range((last - first).days + 1):
        close_day(
            world.service.context, person, shop_of(world), first + timedelta(days=number), None
        )


def close_month(world: World, one: Person, two: Person, first: date) -> None:
    """Has every day from ``first`` to its month's end closed by ``one``, and the month by both."""
    context, shop = world.service.context, shop_of(world)
    month = first.replace(day=1)
    assert business_day(world.clock.now()) > last_of_month(month)
    close_days(world, one, first, last_of_month(month))
    propose_month(context, one, shop, month)
    agree_month(context, two, shop, month)
