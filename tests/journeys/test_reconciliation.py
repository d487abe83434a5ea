"""Bills against the books: fetched by themselves in the morning, matched to the fen, and what differs is found."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date, timedelta
from pathlib import Path

import pytest

from daozhang.clock import business_day
from daozhang.emulator.oddities import OddityName
from daozhang.money import Money
from daozhang.service.bills import store as bills
from daozhang.service.bills.model import FileStatus, StatementKind, StatementStatus
from daozhang.service.reconciliation import store
from daozhang.service.reconciliation.model import MismatchClass
from reconciling import (
    bring_changed,
    found,
    mismatches,
    morning_after,
    odd,
    pay,
    run_of,
    statement,
    to_hour,
)
from worlds import World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop whose bills are fetched."""
    with running(tmp_path_factory.mktemp("world"), chosen={"fetch_bills": True}) as made:
        yield made


@pytest.fixture(autouse=True)
def day(world: World) -> date:
    """A day of its own for each test, at ten in the morning."""
    to_hour(world, 10, days=1)
    world.emulator.desk.account.oddities.clear()
    return business_day(world.clock.now())


def test_a_day_agrees_by_itself(world: World, day: date) -> None:
    first = pay(world, "88.88")
    pay(world, "0.05")
    world.advance(5)
    world.refund(first, "8.00", "R-1")
    world.advance(60)
    assert statement(world, day).status is StatementStatus.WAITING
    morning_after(world)
    for kind in StatementKind:
        assert statement(world, day, kind).status is StatementStatus.READY
    run = run_of(world, day)
    assert (run.line_count, run.matched_count) == (3, 3)
    assert Money(run.matched_minor) == Money.parse("80.93")
    assert mismatches(world, day, is_open=None) == []
    statement_id = statement(world, day).id
    with world.service.context.database.read() as tx:
        (file,) = bills.list_files(tx, statement_id)
        content = b"".join(bills.read_parts(tx, file.id))
    assert (file.status, file.size, content[:2]) == (FileStatus.READY, len(content), b"PK")
    assert file.totals == {
        "payments": {"count": 2, "amount": "88.93", "discount": "0.00"},
        "refunds": {"count": 1, "amount": "-8.00", "discount": "0.00"},
    }


def test_every_class_is_found_and_none_invented(world: World, day: date) -> None:
    numbers = [pay(world) for _ in range(9)]
    world.advance(5)
    for number in numbers[7:]:
        world.refund(number, "1.00", f"R-{number}")
    world.advance(60)
    names = (
        OddityName.MISSING_LINE, OddityName.AMOUNT_OFF, OddityName.FEE_OFF, OddityName.DUPLICATE_LINE,
        OddityName.TYPE_DIFFERS, OddityName.DAY_CUT,
    )  # fmt: skip
    for name, number in zip(names, numbers, strict=False):
        odd(world, name, number)
    odd(world, OddityName.FOREIGN_LINE, day=day)
    morning_after(world)
    missing, off, fee, twice, shown_back, cut, *_ = numbers
    foreign = f"OTHER{day:%Y%m%d}000000"
    assert found(world, day) == {
        (MismatchClass.MISSING_THERE, f"payment:{missing}"),
        (MismatchClass.AMOUNT_DIFFERS, f"payment:{off}"),
        (MismatchClass.FEE_DIFFERS, f"payment:{fee}"),
        (MismatchClass.DUPLICATE, f"payment:{twice}"),
        # A payment that is shown as a refund: the refund is not here, the payment not there.
        (MismatchClass.MISSING_HERE, f"refund:{shown_back}:ODD-1"),
        (MismatchClass.MISSING_THERE, f"payment:{shown_back}"),
        (MismatchClass.MISSING_THERE, f"payment:{cut}"),
        (MismatchClass.MISSING_HERE, f"payment:{foreign}"),
    }
    morning_after(world)  # what stands in the next day's bill was cut by midnight
    (ended,) = [one for one in mismatches(world, day, is_open=False) if cut in one.key]
    assert ended.resolution == "day_cut"
    assert (MismatchClass.MISSING_THERE, f"payment:{cut}") not in found(world, day)
    assert found(world, day + timedelta(days=1)) == set()


def test_a_line_that_is_there_twice_and_a_fen_off_is_told_once_each_way(
    world: World, day: date, tmp_path: Path
) -> None:
    right, number = pay(world), pay(world)
    morning_after(world)
    assert found(world, day) == set()
    bring_changed(world, day, tmp_path, lambda content: _twice_and_off(content, number))
    run = run_of(world, day)
    assert (run.line_count, run.matched_count) == (3, 1)
    assert found(world, day) == {
        (MismatchClass.AMOUNT_DIFFERS, f"payment:{number}"),
        (MismatchClass.DUPLICATE, f"payment:{number}"),
    }
    assert right not in {one.out_trade_no for one in mismatches(world, day)}


def _twice_and_off(content: bytes, number: str) -> bytes:
    """The line of an order twice, and over a fen more; the totals say so."""
    lines: list[str] = []
    for line in content.decode("gb18030").split("\n"):
        if line.startswith("#交易合计"):
            line = line.replace("2笔", "3笔").replace("实收共20.00", "实收共30.02")
        is_it = f",{number}\t," in line
        lines += [line.replace(",10.00,10.00,", ",10.01,10.01,")] * 2 if is_it else [line]
    return "\n".join(lines).encode("gb18030")


def test_lines_with_another_trade_number_are_those_of_the_orders_that_they_name(
    world: World, day: date, tmp_path: Path
) -> None:
    right, one, other, unheard = (pay(world) for _ in range(4))
    morning_after(world)
    trades = {number: world.read(number)["trade_no"] for number in (one, other, unheard)}
    nobodys = trades[unheard][:-6] + "999999"
    changed = {one: trades[other], other: trades[one], unheard: nobodys}

    def renumbered(content: bytes) -> bytes:
        lines = content.decode("gb18030").split("\n")
        for number, trade_no in changed.items():
            lines = [
                line.replace(trades[number], trade_no) if f",{number}\t," in line else line
                for line in lines
            ]
        return "\n".join(lines).encode("gb18030")

    bring_changed(world, day, tmp_path, renumbered)
    run = run_of(world, day)
    assert (run.line_count, run.matched_count) == (4, 1)
    assert found(world, day) == {
        (MismatchClass.STATE_DIFFERS, f"payment:{number}") for number in changed
    }
    assert right not in {one.out_trade_no for one in mismatches(world, day)}


@pytest.mark.parametrize("name", [OddityName.WRONG_TOTALS, OddityName.NO_TOTALS])
def test_totals_that_differ_hold_the_file(world: World, day: date, name: OddityName) -> None:
    pay(world)
    odd(world, name)
    morning_after(world)
    held = statement(world, day)
    assert held.status is StatementStatus.HELD
    with world.service.context.database.read() as tx:
        (file,) = bills.list_files(tx, held.id)
        assert store.last_run(tx, held.id) is None
    assert file.status is FileStatus.HELD
    assert any("合计" in one["say_zh"] for one in file.differences), file.differences


def test_a_missing_column_holds_the_file_and_says_which(world: World, day: date) -> None:
    pay(world)
    odd(world, OddityName.MISSING_COLUMN)
    morning_after(world)
    statement_id = statement(world, day).id
    with world.service.context.database.read() as tx:
        (file,) = bills.list_files(tx, statement_id)
    assert file.problem is not None
    assert "商家实收 are missing" in file.problem["say"]


def test_a_bill_that_is_late_is_asked_for_until_it_is_there(world: World, day: date) -> None:
    pay(world)
    odd(world, OddityName.LATE_BILL, bill_type=None)
    to_hour(world, 10, days=1)
    waits = statement(world, day)
    assert (waits.status, waits.last_code) == (StatementStatus.WAITING, "BILL_NOT_EXIST")
    to_hour(world, 12)
    assert statement(world, day).status is StatementStatus.READY


def test_a_day_without_anything_is_an_answer(world: World, day: date) -> None:
    morning_after(world)
    assert statement(world, day).status is StatementStatus.NONE
    assert mismatches(world, day) == []
