"""What tests of bills have in common: a shop whose bills are fetched, days, and what was found of one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from daozhang.clock import BEIJING
from daozhang.emulator.oddities import Oddity, OddityName
from daozhang.service.audit.model import SYSTEM
from daozhang.service.bills import store as bills
from daozhang.service.bills.keeping import choose_file, keep_file
from daozhang.service.bills.model import FileOrigin, Statement
from daozhang.service.bills.refusals import BillStands
from daozhang.service.reconciliation import store
from daozhang.service.reconciliation.model import Mismatch, MismatchClass, Run
from repacking import repacked
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


def bring_changed(
    world: World, day: date, folder: Path, change: Callable[[bytes], bytes], kind: str = "trade"
) -> None:
    """Another file of the day, which says something else, and is chosen to stand for it."""
    context, statement_ = world.service.context, statement(world, day, kind)
    with context.database.read() as tx:
        file = bills.find_file(tx, statement_.file_id or 0)
        assert file is not None
        content = b"".join(bills.read_parts(tx, file.id))
    path = folder / "changed.zip"
    path.write_bytes(repacked(content, change))
    jobs = world.service.jobs
    with pytest.raises(BillStands):
        keep_file(context, jobs, SYSTEM, statement_, path, path.name, FileOrigin.UPLOADED)
    with context.database.read() as tx:
        newest = bills.list_files(tx, statement_.id)[0]
    choose_file(context, jobs, SYSTEM, statement_.id, newest.public_id)
    world.settle()
