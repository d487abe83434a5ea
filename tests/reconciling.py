"""What tests of bills have in common: a shop whose bills are fetched, days, and what was found of one."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from daozhang.clock import BEIJING
from daozhang.emulator.oddities import Oddity, OddityName
from daozhang.service.bills import store as bills
from daozhang.service.bills.model import Statement
from daozhang.service.reconciliation import store
from daozhang.service.reconciliation.model import Mismatch, MismatchClass, Run
from worlds import World


def to_hour(world: World, hour: int, *, days: int = 0) -> None:
    """Pushes the clock to that hour in Beijing, so many days on."""
    now = world.clock.now().astimezone(BEIJING)
    then = datetime.combine(now.date() + timedelta(days=days), time(hour), BEIJING)
    world.advance((then - now).total_seconds())


def morning_after(world: World) -> None:
    """Ten in the morning of the next day: both bills were asked for."""
    to_hour(world, 10, days=1)
    world.settle()


def pay(world: World, amount: str = "10.00") -> str:
    """An order that is paid; its number."""
    number = world.order(amount)
    world.pay(number)
    world.settle()
    return number


def seller(world: World) -> str:
    """Whose bills they are."""
    return world.emulator.desk.identities.app("shop").seller_id


def statement(world: World, day: date, kind: str = "trade") -> Statement:
    """The bill of a day."""
    with world.service.context.database.read() as tx:
        found = bills.find_statement(tx, "emulator", seller(world), kind, day.isoformat())
    assert found is not None, f"nobody expects a {kind} bill of {day}"
    return found


def run_of(world: World, day: date) -> Run:
    """The last reading of a day's trade bill."""
    statement_id = statement(world, day).id
    with world.service.context.database.read() as tx:
        found = store.last_run(tx, statement_id)
    assert found is not None
    return found


def mismatches(world: World, day: date, *, is_open: bool | None = True) -> list[Mismatch]:
    """What differs on a day, oldest first."""
    with world.service.context.database.read() as tx:
        return store.list_mismatches(
            tx, "emulator", seller(world), day=day, is_open=is_open, rows_max=1000
        )[::-1]


def found(world: World, day: date) -> set[tuple[MismatchClass, str]]:
    """The open mismatches of a day, by class and key."""
    return {(one.mismatch, one.key) for one in mismatches(world, day)}


def odd(world: World, name: OddityName, number: str | None = None, **more: Any) -> None:
    """Trade bills shall have something wrong."""
    more.setdefault("bill_type", "trade")
    world.emulator.desk.account.oddities.set(Oddity(name, out_trade_no=number, **more))
