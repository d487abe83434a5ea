"""Reading a bank's statement: CSV (UTF-8, GBK) or a workbook (XLSX), columns by name. Pure.

Only money that Alipay has sent is kept: what others pay the merchant is nobody's business here.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from daozhang.money import Money, MoneyError
from daozhang.service.banking.model import Columns, StatementLine, StatementRead
from daozhang.service.banking.refusals import StatementUnreadable
from daozhang.service.sheets.grids import Fault, Grid, read_csv
from daozhang.service.sheets.workbooks import Table, address, is_workbook, read_workbook

LINES_MAX: Final = 20_000
ROWS_MAX: Final = 100_000
"""As many lines as a file may have, whoever's they are."""

HEAD_LINES_MAX: Final = 40
"""How far down the line with the names of the columns may be: banks write their own above it."""

TEXT_CHARACTERS_MAX: Final = 200

_DATE: Final = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[ T]?\d{1,2}:?\d{2}.*)?")
_THOUSANDS: Final = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The names that banks give their columns, and Alipay's as one who pays (unverified)."""

    date: tuple[str, ...]
    amount: tuple[str, ...]
    counterparty: tuple[str, ...]
    reference: tuple[str, ...]
    payers: tuple[str, ...]


@cache
def known_names() -> Names:
    """Those that this version knows."""
    content = (files("daozhang.service.banking") / "columns.json").read_bytes()
    return msgspec.json.decode(content, type=Names)


def columns_of(
    date: str | None, amount: str | None, counterparty: str | None, reference: str | None
) -> Columns:
    """The columns to be read: those that are named, else any that are known."""
    names = known_names()
    return Columns(
        (date,) if date else names.date,
        (amount,) if amount else names.amount,
        (counterparty,) if counterparty else names.counterparty,
        (reference,) if reference else names.reference,
    )


def read_statement(content: bytes, columns: Columns) -> StatementRead:
    """The lines of money that Alipay has sent. Raises `StatementUnreadable`, with the line or the cell."""
    grid = _grid(content, columns)
    head, places = _head(grid, columns)
    payers = known_names().payers
    lines: list[StatementLine] = []
    seen: Counter[tuple[str, ...]] = Counter()
    skipped = 0
    for number, row in enumerate(grid.lines[head:], head + 1):
        cells = {name: _cell(row, at) for name, at in places.items()}
        if not (cells["date"][:1].isdigit() or (number - 1, places["date"]) in grid.faults):
            continue  # an empty line, or what the bank writes below its table
        _require_cells(grid, number, places)
        day, minor = _day(number, cells["date"]), _minor(number, cells["amount"])
        payer = cells.get("counterparty", "")
        if minor <= 0 or not (
            "counterparty" not in places or any(one in payer.lower() for one in payers)
        ):
            skipped += 1
            continue
        reference = cells.get("reference", "")
        told = (day.isoformat(), str(minor), payer, reference)
        seen[told] += 1
        # The same twice in one file is two; the same in another file is the same.
        text = "\n".join((*told, str(seen[told])))
        fingerprint = hashlib.sha256(text.encode()).hexdigest()
        lines.append(StatementLine(day, minor, payer, reference, fingerprint))
        if len(lines) > LINES_MAX:
            raise StatementUnreadable(
                number,
                f"more than {LINES_MAX} lines of Alipay's: import it in pieces",
                f"支付宝入账超过 {LINES_MAX} 笔，请分批导入",
            )
    return StatementRead(lines, skipped)


def _grid(content: bytes, columns: Columns) -> Grid:
    if is_workbook(content):
        table = Table(
            lambda row: _is_head(_places(row, columns)),
            ROWS_MAX,
            head_rows=HEAD_LINES_MAX,
            has_days=True,
        )
        grid = read_workbook(content, table)
    else:
        grid = read_csv(content)
    if isinstance(grid, Fault):
        raise StatementUnreadable(None, *_said(grid))
    if len(grid.lines) > ROWS_MAX:
        raise StatementUnreadable(
            ROWS_MAX + 1,
            f"more than {ROWS_MAX} lines: import it in pieces",
            f"超过 {ROWS_MAX} 行，请分批导入",
        )
    return grid


def _head(grid: Grid, columns: Columns) -> tuple[int, dict[str, int]]:
    """Below how many lines the table begins, and where its columns are."""
    for number, row in enumerate(grid.lines[:HEAD_LINES_MAX], 1):
        if _is_head(places := _places(row, columns)):
            return number, places
    raise StatementUnreadable(
        1,
        f"no line names a column of the date ({', '.join(columns.date)}) and one of the amount "
        f"({', '.join(columns.amount)}): say how yours are called",
        "未找到日期列与金额列，请指明列名",
    )


def _places(row: Sequence[str], columns: Columns) -> dict[str, int]:
    wanted = {
        "date": columns.date,
        "amount": columns.amount,
        "counterparty": columns.counterparty,
        "reference": columns.reference,
    }
    there = {cell.strip().lower(): at for at, cell in reversed([*enumerate(row)])}
    return {
        what: there[name.lower()]
        for what, names in wanted.items()
        for name in reversed(names)
        if name.lower() in there
    }


def _is_head(places: Mapping[str, int]) -> bool:
    return {"date", "amount"} <= places.keys()


def _require_cells(grid: Grid, number: int, places: Mapping[str, int]) -> None:
    """Raises `StatementUnreadable` for a cell that is neither text nor number nor day."""
    for at in places.values():
        if fault := grid.faults.get((number - 1, at)):
            cell = f"{grid.name}!{address(number - 1, at)}"
            raise StatementUnreadable(number, *_said(fault), cell=cell)


def _said(fault: Fault) -> tuple[str, str]:
    return fault.say.removesuffix("."), fault.say_zh.removesuffix("。")


def _cell(row: Sequence[str], at: int) -> str:
    return row[at].strip()[:TEXT_CHARACTERS_MAX] if at < len(row) else ""


def _day(number: int, text: str) -> date:
    if found := _DATE.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
        with suppress(ValueError):  # such as the 30th of February
            return date(year, month, day)
    raise StatementUnreadable(number, f"{text!r} is no day", f"{text!r} 不是有效日期")


def _minor(number: int, text: str) -> int:
    """An amount in fen: ``1,234.50``, ``+3.00`` and ``-3.00`` too; nothing where there is none."""
    plain = text.removeprefix("¥").removeprefix("+").strip()
    if plain in ("", "-", "--"):
        return 0
    if _THOUSANDS.fullmatch(plain.removeprefix("-")):
        plain = plain.replace(",", "")
    try:
        return Money.parse(plain).minor
    except MoneyError:
        raise StatementUnreadable(
            number, f"{text!r} is no amount", f"{text!r} 不是有效金额"
        ) from None
