"""Loading: the lines of a bill onto the bench, by the hundred thousand, and what they add up to.

Every row is looked at by one expression before it is taken: an amount has exactly two decimal places,
so that taking the point out makes fen of it, and never anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from daozhang.alipay.bills import Bill, BillFiles, BillProblem, Difference, Side, Total
from daozhang.alipay.bills.reading import PAYMENT, REFUND
from daozhang.money import Money
from daozhang.service.reconciliation.workbench import Bench, account_lines, trade_lines

TRADE_FIELDS: Final = (
    "business", "trade_no", "out_trade_no", "out_request_no", "completed_at", "total", "receipt",
    "discount", "fee",
)  # fmt: skip

ACCOUNT_FIELDS: Final = (
    "account_log_id", "trade_no", "out_trade_no", "at", "income", "outgo", "balance", "business",
)  # fmt: skip

_TIME: Final = rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
_TEXT: Final = rb"[ -\[\]-~]*"
"""ASCII without a backslash: what numbers of Alipay's and of shops are made of."""

_TRADE_ROW: Final = re.compile(
    rb"[^\t]*\t" + rb"\t".join([_TEXT] * 3) + rb"\t" + _TIME + rb"(?:\t-?\d+\.\d\d){4}"
)
_ACCOUNT_ROW: Final = re.compile(
    rb"\t".join([_TEXT] * 3) + rb"\t" + _TIME + rb"(?:\t[+-]?\d+\.\d\d){3}\t[^\t]*"
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What lies on the bench: how many lines, what they add up to, and where the file says otherwise."""

    line_count: int
    totals: Mapping[Side, Total]
    differences: Sequence[Difference]
    new_columns: Sequence[str]


def load_trade(bench: Bench, files: BillFiles) -> Loaded:
    """Lays the lines of a trade bill out. Raises `BillProblem`."""
    bench.lay_out(trade_lines)
    for bill in files.details:
        _fill(bench, trade_lines, _trade_rows(bill))
    bench.counted(trade_lines)
    c = trade_lines.c
    found = bench.connection.execute(
        sa.select(
            c.refund, sa.func.count(), sa.func.sum(c.receipt), sa.func.sum(c.discount)
        ).group_by(c.refund)
    )
    nothing = Total(0, Money(0), Money(0))
    totals: dict[Side, Total] = {Side.PAYMENTS: nothing, Side.REFUNDS: nothing}
    for refund, count, receipt, discount in found:
        side = Side.REFUNDS if refund else Side.PAYMENTS
        totals[side] = Total(count, Money(int(receipt)), Money(int(discount)))
    return _loaded(files, totals)


def load_account(bench: Bench, files: BillFiles) -> Loaded:
    """Lays the lines of an account bill out. Raises `BillProblem`."""
    bench.lay_out(account_lines)
    for bill in files.details:
        _fill(bench, account_lines, _account_rows(bill))
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


def _fill(bench: Bench, table: sa.Table, batches: Iterator[list[bytes]]) -> None:
    """``batches`` of rows, their cells between tabs, in the order of the table's columns."""
    names = [column.name for column in table.columns][1:]
    if bench.is_postgresql:
        cursor = bench.driver.cursor()
        with cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
            for rows in batches:
                rows.append(b"")
                copy.write(b"\n".join(rows))
        return
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO main.{table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
    bench.driver.execute("BEGIN")
    bench.driver.executemany(statement, _cells(batches))
    bench.driver.execute("COMMIT")


def _cells(batches: Iterable[list[bytes]]) -> Iterator[list[str]]:
    for rows in batches:
        for row in rows:
            yield row.decode("utf-8").split("\t")


def _trade_rows(bill: Bill) -> Iterator[list[bytes]]:
    payment, refund = PAYMENT.encode(bill.encoding), REFUND.encode(bill.encoding)
    kinds = {payment: b"0", refund: b"1"}

    def tail(cells: tuple[bytes, ...]) -> bytes:
        return b"\t".join(cells[5:])

    fits = _TRADE_ROW.fullmatch
    number = bill.first_line
    for cut in bill.cut(TRADE_FIELDS):
        rows: list[bytes] = []
        add = rows.append
        for cells in cut:
            row = b"\t".join(cells)
            kind = kinds.get(cells[0])
            if kind is None or fits(row) is None:
                raise _unfit(bill, number + len(rows), cells)
            add(b"\t".join((kind, *cells[1:5], tail(cells).replace(b".", b""))))
        number += len(rows)
        yield rows


def _account_rows(bill: Bill) -> Iterator[list[bytes]]:
    fits = _ACCOUNT_ROW.fullmatch
    encoding = bill.encoding
    number = bill.first_line
    known: dict[bytes, bytes] = {}
    for cut in bill.cut(ACCOUNT_FIELDS):
        rows: list[bytes] = []
        for cells in cut:
            row = b"\t".join(cells)
            if fits(row) is None:
                raise _unfit(bill, number + len(rows), cells)
            amounts = b"\t".join(cells[4:7]).replace(b".", b"").replace(b"+", b"")
            business = known.get(cells[-1])
            if business is None:
                text = cells[-1].decode(encoding, "replace").strip()
                business = known[cells[-1]] = text.replace("\\", "").encode()
            rows.append(b"\t".join((*cells[:4], amounts, business)))
        number += len(rows)
        yield rows


def _unfit(bill: Bill, number: int, cells: Sequence[bytes]) -> BillProblem:
    shown = ", ".join(bill.text(cell) for cell in cells)[:200]
    return BillProblem(
        f"A line is not what it must be: {shown}",
        f"有一行内容不合规则：{shown}",
        member=bill.name,
        line=number,
    )
