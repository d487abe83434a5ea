"""Closing a day while something else goes on: it waits for what is read, and happens once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from daozhang.clock import business_day
from daozhang.service.closing.days import close_day
from daozhang.service.closing.refusals import DayClosed
from daozhang.service.people.model import Person, Role
from daozhang.service.reconciliation.actions import turn_of
from people_here import add_person
from reconciling import morning_after, pay, to_hour
from worlds import running


def test_a_day_is_closed_once_and_not_while_a_bill_is_read(tmp_path: Path) -> None:
    with running(tmp_path, chosen={"fetch_bills": True}) as world:
        context, shop = world.service.context, world.service.clients.merchant(1)
        people = [add_person(context, name, Role.FINANCE) for name in ("one", "two")]
        to_hour(world, 12)
        day = business_day(world.clock.now())
        pay(world)
        morning_after(world)

        def close(person: Person) -> str:
            try:
                return close_day(context, person, shop, day).closed_name
            except DayClosed as refusal:
                return refusal.code

        with ThreadPoolExecutor(6) as pool:
            with turn_of(context.database, shop.environment, shop.seller_id):
                closing = [pool.submit(close, person) for person in people * 3]
                with pytest.raises(TimeoutError):
                    closing[0].result(timeout=1)
            ends = Counter(one.result(timeout=30) for one in closing)
        assert ends.pop("day_closed") == 5
        assert list(ends.values()) == [1]
