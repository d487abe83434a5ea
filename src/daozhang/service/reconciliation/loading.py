"""Loading: the lines of a bill onto the bench, column by column, and what they add up to.

Every cell is looked at before it is taken: an amount has exactly two decimal places, so that taking
the point out makes fen of it, and never anything else. A column of a thousand cells is looked at in
one go; only where it does not fit are its lines gone through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from daozhang.alipay.bills import Bill, BillFiles, BillProblem, Difference, Side, Total
from daozhang.alipay.bills.reading import PAYMENT, REFUND
from daozhang.money import Money
from daozhang.service.reconciliation.workbench import Bench, account_lines, trade_lines

Column = Sequence[bytes]
Check = Callable[[Column], bool]

_TIMES: Final = re.compile(rb"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n)*+")
_AMOUNTS: Final = re.compile(rb"(?:[+-]?\d+\.\d\d\n)*+")
_TEXT: Final = bytes(range(0x20, 0x7F)).replace(b"\\", b"")
"""ASCII without a backslash: what numbers of Alipay's and of shops are made of."""


def _lines(column: Column) -> bytes:
    return b"\n".join((*column, b""))


def _are_texts(column: Column) -> bool:
    return not b"".join(column).translate(None, _TEXT)


def _are_times(column: Column) -> bool:
    return _TIMES.fullmatch(_lines(column)) is not None


def _are_amounts(column: Column) -> bool:
    return _AMOUNTS.fullmatch(_lines(column)) is not None


def _fit(_column: Column) -> bool:
    return True


TRADE_FIELDS: Final[Mapping[str, Check]] = {
    "business": _fit,
    "trade_no": _are_texts,
    "out_trade_no": _are_texts,
    "out_request_no": _are_texts,
    "completed_at": _are_times,
    "total": _are_amounts,
    "receipt": _are_amounts,
    "discount": _are_amounts,
    "fee": _are_amounts,
}

ACCOUNT_FIELDS: Final[Mapping[str, Check]] = {
    "account_log_id": _are_texts,
    "trade_no": _are_texts,
    "out_trade_no": _are_texts,
    "at": _are_times,
    "income": _are_amounts,
    "outgo": _are_amounts,
    "balance": _are_amounts,
    "business": _fit,
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
    for bill in files.details:
        _fill(bench, trade_lines, _trade_columns(bill))
    c = trade_lines.c
    bench.counted(trade_lines, c.refund, c.out_trade_no)
    found = bench.connection.execute(
        sa.select(
            c.refund, sa.func.count(), sa.func.sum(c.receipt), sa.func.sum(c.discount)
        ).group_by(c.refund)
    )
    totals = {**NOTHING.totals}
    for refund, count, receipt, discount in found:
        side = Side.REFUNDS if refund else Side.PAYMENTS
        totals[side] = Total(count, Money(int(receipt)), Money(int(discount)))
    return _loaded(files, totals)


def load_account(bench: Bench, files: BillFiles) -> Loaded:
    """Lays the lines of an account bill out. Raises `BillProblem`."""
    bench.lay_out(account_lines)
    for bill in files.details:
        _fill(bench, account_lines, _account_columns(bill))
    bench.counted(account_lines)
    c = account_lines.c
    outgo = sa.func.abs(c.outgo)
    went = sa.case((outgo > 0, 1), else_=0)
    row = bench.connection.execute(
        sa.select(sa.func.count(), sa.func.sum(went), sa.func.sum(outgo), sa.func.sum(c.income))
    ).one()
    count, out_count, out_sum, in_sum = (int(value or 0) for value in row)
    totals = {
        Side.INCOME: Total(count - out_count, Money(in_sum)),
        Side.OUTGO: Total(out_count, Money(out_sum)),
    }
    return _loaded(files, totals)


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


def _fill(bench: Bench, table: sa.Table, batches: Iterator[Sequence[Column]]) -> None:
    """``batches`` of the table's columns but its number, which counts by itself."""
    names = [column.name for column in table.columns][1:]
    if bench.is_postgresql:
        cursor = bench.driver.cursor()
        with cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
            for columns in batches:
                copy.write(_lines([b"\t".join(cells) for cells in zip(*columns, strict=True)]))
        return
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO main.{table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
    bench.driver.execute("BEGIN")
    for columns in batches:
        texts = [b"\n".join(column).decode().split("\n") for column in columns]
        bench.driver.executemany(statement, zip(*texts, strict=True))
    bench.driver.execute("COMMIT")


def _trade_columns(bill: Bill) -> Iterator[Sequence[Column]]:
    kinds = {PAYMENT.encode(bill.encoding): b"0", REFUND.encode(bill.encoding): b"1"}

    def are_kinds(column: Column) -> bool:
        return kinds.keys() >= {*column}

    for columns in _checked(bill, {**TRADE_FIELDS, "business": are_kinds}):
        refund = [kinds[cell] for cell in columns[0]]
        yield [refund, *columns[1:5], *map(_in_fen, columns[5:])]


def _account_columns(bill: Bill) -> Iterator[Sequence[Column]]:
    known: dict[bytes, bytes] = {}
    for columns in _checked(bill, ACCOUNT_FIELDS):
        *_, business = columns
        for cell in {*business} - known.keys():
            known[cell] = bill.text(cell).replace("\\", "").encode()
        yield [*columns[:4], *map(_in_fen, columns[4:7]), [known[cell] for cell in business]]


def _checked(bill: Bill, checks: Mapping[str, Check]) -> Iterator[Sequence[Column]]:
    """The columns that ``checks`` name. Raises `BillProblem` for the first line that does not fit."""
    for numbers, columns in bill.columns([*checks]):
        fits = [*zip(checks.values(), columns, strict=True)]
        if not all(check(column) for check, column in fits):
            for place, cells in enumerate(zip(*columns, strict=True)):
                if not all(check(column[place : place + 1]) for check, column in fits):
                    raise _unfit(bill, numbers[place], cells)
        yield columns


def _in_fen(column: Column) -> Column:
    return b"\n".join(column).replace(b".", b"").replace(b"+", b"").split(b"\n")


def _unfit(bill: Bill, number: int, cells: Sequence[bytes]) -> BillProblem:
    shown = ", ".join(bill.text(cell) for cell in cells)[:200]
    return BillProblem(
        f"A line is not what it must be: {shown}",
        f"有一行内容不合规则：{shown}",
        member=bill.name,
        line=number,
    )
