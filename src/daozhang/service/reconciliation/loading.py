"""Loading: the lines of a bill onto the bench, column by column, and what they add up to.

Every cell is looked at before it is taken: an amount has exactly two decimal places, so that taking
the point out makes fen of it, and never anything else. A column of a thousand cells is looked at in
one go; only where it does not fit are its lines gone through. Sums are made of what is laid out, as it goes by.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Final

import sqlalchemy as sa

from daozhang.alipay.bills import (
    Bill,
    BillFiles,
    BillKind,
    BillProblem,
    Difference,
    Side,
    Total,
)
from daozhang.alipay.bills.reading import PAYMENT, REFUND, Counting
from daozhang.money import Money
from daozhang.service.reconciliation.workbench import Bench, account_lines, trade_lines

Column = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Cells:
    """A column that was looked at: a line for each cell, and the cells if they are at hand as well."""

    lines: bytes
    column: Column | None = None

    def as_bytes(self) -> Column:
        """As PostgreSQL takes them."""
        return self.lines.splitlines() if self.column is None else self.column

    def as_texts(self) -> list[str]:
        """As SQLite takes them."""
        return self.lines[:-1].decode().split("\n")

    def sum(self, chosen: Sequence[int] | None = None) -> int:
        """What a column of fen adds up to; with ``chosen``, those cells that have a one there."""
        if not self.lines.strip(b"0\n"):
            return 0  # what the merchant gave is nothing in most files, and so quickly seen
        cells = self.as_bytes()
        return sum(map(int, cells if chosen is None else compress(cells, chosen)))


Reader = Callable[[Column], Cells | None]
"""Makes of cells as they stand in the file what is laid out; ``None`` if one is not what it must be."""

_AMOUNTS: Final = re.compile(rb"(?:[+-]?+\d++\.\d\d\n)*+")
_TEXT: Final = bytes(range(0x20, 0x7F)).replace(b"\\", b"\n")
"""ASCII without a backslash, which is what numbers of Alipay's and of shops are made of, and the ends of lines."""

ROWS_AT_ONCE: Final = 100
"""So many lines SQLite takes in one statement: each costs as much to begin as ten lines."""

_NOTHING: Final = b"0.00\n"
_NOUGHTS: Final = bytes.maketrans(b"123456789", b"000000000")
_TIME: Final = b"0000-00-00 00:00:00\n"
"""A time, its digits as noughts."""


def _lines(column: Column) -> bytes:
    return b"\n".join(column) + b"\n"


def _cells(column: Column) -> Cells:
    return Cells(_lines(column), column)


def _texts(column: Column) -> Cells | None:
    lines = _lines(column)
    return None if lines.translate(None, _TEXT) else Cells(lines, column)


def _times(column: Column) -> Cells | None:
    lines = _lines(column)
    fits = lines.translate(_NOUGHTS) == _TIME * len(column)
    return Cells(lines, column) if fits else None


def _in_fen(column: Column) -> Cells | None:
    lines = _lines(column)
    # What the merchant gave is nothing on most lines: that is seen in a tenth of the time.
    if lines != _NOTHING * len(column) and _AMOUNTS.fullmatch(lines) is None:
        return None
    return Cells(lines.translate(None, b".+"))


TRADE_FIELDS: Final[Mapping[str, Reader]] = {
    "trade_no": _texts,
    "out_trade_no": _texts,
    "out_request_no": _texts,
    "completed_at": _times,
    "total": _in_fen,
    "receipt": _in_fen,
    "discount": _in_fen,
    "fee": _in_fen,
}

ACCOUNT_FIELDS: Final[Mapping[str, Reader]] = {
    "account_log_id": _texts,
    "trade_no": _texts,
    "out_trade_no": _texts,
    "at": _times,
    "income": _in_fen,
    "outgo": _in_fen,
    "balance": _in_fen,
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What lies on the bench: how many lines, what they add up to, and where the file says otherwise."""

    line_count: int
    totals: Mapping[Side, Total]
    differences: Sequence[Difference]
    new_columns: Sequence[str]


_NONE: Final = Total(0, Money(0), Money(0))
NOTHING: Final = Loaded(0, {Side.PAYMENTS: _NONE, Side.REFUNDS: _NONE}, [], [])
"""What a day has on which, as Alipay says, nothing happened."""


def load_trade(bench: Bench, files: BillFiles) -> Loaded:
    """Lays the lines of a trade bill out. Raises `BillProblem`."""
    bench.lay_out(trade_lines)
    counting = Counting(BillKind.TRADE)
    for bill in files.details:
        _fill(bench, trade_lines, _trade_columns(bill, counting))
    c = trade_lines.c
    bench.counted(trade_lines, c.number, c.refund, c.out_trade_no)
    return _loaded(files, counting.totals())


def load_account(bench: Bench, files: BillFiles) -> Loaded:
    """Lays the lines of an account bill out. Raises `BillProblem`."""
    bench.lay_out(account_lines)
    counting = Counting(BillKind.ACCOUNT)
    for bill in files.details:
        _fill(bench, account_lines, _account_columns(bill, counting))
    bench.counted(account_lines)
    return _loaded(files, counting.totals())


def _loaded(files: BillFiles, totals: Mapping[Side, Total]) -> Loaded:
    """The lines against what the files state: of a day in several texts, all of these together."""
    stated: dict[Side, Total] = {}
    missing: set[Side] = set()
    for bill in files.details:
        for side in totals:
            told = bill.stated.get(side)
            if told is None:
                missing.add(side)
            else:
                stated[side] = _plus(stated.get(side), told)
    differences = [
        Difference(side, None if side in missing else stated.get(side), counted)
        for side, counted in totals.items()
        if side in missing or stated.get(side) != counted
    ]
    return Loaded(
        line_count=sum(total.count for total in totals.values()),
        totals=totals,
        differences=differences,
        new_columns=[column for bill in files.details for column in bill.layout.new],
    )


def _plus(one: Total | None, other: Total) -> Total:
    if one is None:
        return other
    discount = None
    if one.discount is not None and other.discount is not None:
        discount = one.discount + other.discount
    return Total(one.count + other.count, one.amount + other.amount, discount)


def _fill(bench: Bench, table: sa.Table, batches: Iterator[Sequence[Cells]]) -> None:
    """``batches`` of the table's columns but its number, which counts by itself."""
    names = [column.name for column in table.columns][1:]
    if bench.is_postgresql:
        cursor = bench.driver.cursor()
        with cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
            for columns in batches:
                rows = zip(*(column.as_bytes() for column in columns), strict=True)
                copy.write(b"\n".join(map(b"\t".join, rows)) + b"\n")
        return
    insert = f"INSERT INTO main.{table.name} ({', '.join(names)}) VALUES "  # noqa: S608
    row = f"({', '.join('?' * len(names))})"
    many = insert + ", ".join([row] * ROWS_AT_ONCE)
    width, at_once = len(names), len(names) * ROWS_AT_ONCE
    bench.driver.execute("BEGIN")
    for columns in batches:
        cells = [""] * (width * columns[0].lines.count(b"\n"))
        for place, column in enumerate(columns):
            cells[place::width] = column.as_texts()
        whole = len(cells) - len(cells) % at_once
        for first in range(0, whole, at_once):
            bench.driver.execute(many, cells[first : first + at_once])
        if rest := cells[whole:]:
            bench.driver.execute(insert + ", ".join([row] * (len(rest) // width)), rest)
    bench.driver.execute("COMMIT")


def _trade_columns(bill: Bill, counting: Counting) -> Iterator[Sequence[Cells]]:
    kinds = {PAYMENT.encode(bill.encoding): b"0", REFUND.encode(bill.encoding): b"1"}

    def in_kinds(column: Column) -> Cells | None:
        present = {*column}
        if not present <= kinds.keys():
            return None
        if len(present) > 1:
            return _cells([kinds[cell] for cell in column])
        return _cells([kinds[cell] for cell in present] * len(column))

    readers = {"business": in_kinds, **TRADE_FIELDS}
    for columns in _read(bill, readers):
        read = dict(zip(readers, columns, strict=True))
        _count_trade(counting, read["business"], read["receipt"], read["discount"])
        yield columns


def _count_trade(counting: Counting, kinds: Cells, receipt: Cells, discount: Cells) -> None:
    count, refund_count = kinds.lines.count(b"\n"), kinds.lines.count(b"1")
    sums = receipt.sum(), discount.sum()
    if refund_count:
        is_refund = [*map(int, kinds.as_bytes())]
        of_refunds = receipt.sum(is_refund), discount.sum(is_refund)
        counting.add(Side.REFUNDS, refund_count, *of_refunds)
        sums = sums[0] - of_refunds[0], sums[1] - of_refunds[1]
    counting.add(Side.PAYMENTS, count - refund_count, *sums)


def _account_columns(bill: Bill, counting: Counting) -> Iterator[Sequence[Cells]]:
    known: dict[bytes, bytes] = {}

    def in_utf8(column: Column) -> Cells:
        for cell in {*column} - known.keys():
            known[cell] = bill.text(cell).replace("\\", "").encode()
        return _cells([known[cell] for cell in column])

    readers = {**ACCOUNT_FIELDS, "business": in_utf8}
    for columns in _read(bill, readers):
        read = dict(zip(readers, columns, strict=True))
        went = [abs(minor) for minor in map(int, read["outgo"].as_bytes())]
        out_count = len(went) - went.count(0)
        counting.add(Side.OUTGO, out_count, sum(went))
        counting.add(Side.INCOME, len(went) - out_count, read["income"].sum())
        yield columns


def _read(bill: Bill, readers: Mapping[str, Reader]) -> Iterator[Sequence[Cells]]:
    """What ``readers`` make of the columns that they name. Raises `BillProblem` for the first line that
    is not what it must be."""
    for numbers, columns in bill.columns([*readers]):
        by_reader = [*zip(readers.values(), columns, strict=True)]
        read = [column for reader, cells in by_reader if (column := reader(cells)) is not None]
        if len(read) < len(readers):
            for place, cells in enumerate(zip(*columns, strict=True)):
                if any(reader(column[place : place + 1]) is None for reader, column in by_reader):
                    raise _unfit(bill, numbers[place], cells)
        yield read


def _unfit(bill: Bill, number: int, cells: Sequence[bytes]) -> BillProblem:
    shown = ", ".join(bill.text(cell) for cell in cells)[:200]
    return BillProblem(
        f"A line is not what it must be: {shown}",
        f"有一行内容不合规则：{shown}",
        member=bill.name,
        line=number,
    )
