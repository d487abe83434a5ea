"""A workbook (XLSX), as Excel, WPS and banks save it: the one sheet of it that has the table.

Nothing in it is evaluated: a cell is the text or the number that stands there (or the day, where one is
expected), else it is refused with its address. A file is bounded before a byte of it is unpacked.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from daozhang.service.sheets.grids import Fault, Grid

UNPACKED_BYTES_MAX: Final = 16 * 1024 * 1024
"""What all parts of a workbook come to: a thousand rows need one megabyte."""

PARTS_MAX: Final = 200
SHEETS_MAX: Final = 20
COLUMNS_READ: Final = 64
EMPTY_ROWS_MAX: Final = 1_048_576
"""As many rows as a sheet has: a file can name any."""

DIGITS_MAX: Final = 15
"""Of a number, a spreadsheet keeps so many digits; the others become zeros."""

_ZIP: Final = b"PK\x03\x04"
_OLD: Final = b"\xd0\xcf\x11\xe0"
_BROKEN: Final = (
    # What openpyxl and what it stands on raise for a file that only looks like a workbook.
    ArithmeticError, AttributeError, EOFError, LookupError, OSError, ParseError, RuntimeError, TypeError,
    ValueError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip

OLD: Final = Fault(
    "The file is an old workbook (.xls), or one with a password: save it as XLSX without one, or as CSV.",
    "文件是旧版工作簿（.xls）或已加密：请另存为不加密的 XLSX 或 CSV。",
)
UNREADABLE: Final = Fault(
    "The workbook cannot be read: save it again as XLSX, or as CSV.",
    "工作簿无法读取：请重新另存为 XLSX 或 CSV。",
)
TOO_LARGE: Final = Fault(
    f"The workbook is too large: unpacked it has more than {UNPACKED_BYTES_MAX // 1024 // 1024} MB, or more "
    f"than {PARTS_MAX} parts or {SHEETS_MAX} sheets. Copy the rows to a new one.",
    f"工作簿过大：解压后超过 {UNPACKED_BYTES_MAX // 1024 // 1024} MB，或超过 {PARTS_MAX} 个部件或 "
    f"{SHEETS_MAX} 个工作表。请将数据行复制到新的工作簿。",
)
FORMULA: Final = Fault(
    "it is a formula, and formulas are not calculated here: paste its value.",
    "是公式，此处不计算公式：请粘贴为数值。",
)
NO_VALUE: Final = Fault(
    "it is neither text nor a number (a date, an error, true or false): format it as text and enter it again.",
    "既不是文本也不是数字（日期、错误值或逻辑值）：请设为文本后重新填写。",
)
ROUNDED: Final = Fault(
    f"a spreadsheet keeps {DIGITS_MAX} digits of a number: format the column as text, enter it again.",
    f"表格软件的数字只保留 {DIGITS_MAX} 位：请将该列设为文本后重新填写。",
)


@dataclass(frozen=True, slots=True)
class Table:
    """What is looked for in a workbook: the sheet in whose first ``head_rows`` a row ``is_header``, and as
    many rows as there may be. ``has_days``: a cell that is a day is its text; else it is refused, because
    a spreadsheet has made one of something else."""

    is_header: Callable[[Sequence[str]], bool]
    rows_max: int
    head_rows: int = 1
    has_days: bool = False


def is_workbook(content: bytes) -> bool:
    """Whether the bytes begin as those of a workbook do, of this kind or of the old one."""
    return content.startswith((_ZIP, _OLD))


def read_workbook(content: bytes, table: Table) -> Grid | Fault:
    """The one sheet that has the table; the first sheet if none has. Of more rows than there may be below the
    first one more is given, and no others."""
    if content.startswith(_OLD):
        return OLD
    try:
        if _is_too_large(content):
            return TOO_LARGE
        return _read(content, table)
    except _BROKEN:
        return UNREADABLE


def address(line: int, place: int) -> str:
    """What a spreadsheet calls a cell, both counted from zero: ``E5``."""
    letters = ""
    at = place + 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{line + 1}"


def _is_too_large(content: bytes) -> bool:
    """By what the archive says of its parts; reading one gives no more than that."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
    return len(parts) > PARTS_MAX or sum(one.file_size for one in parts) > UNPACKED_BYTES_MAX


def _read(content: bytes, table: Table) -> Grid | Fault:
    # On first use: most processes never read one. With defusedxml there, it expands no entities.
    import openpyxl  # pyright: ignore[reportMissingModuleSource]

    book: Any = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    try:
        sheets: Sequence[Any] = book.worksheets
        if len(sheets) > SHEETS_MAX:
            return TOO_LARGE
        for sheet in sheets:
            sheet.reset_dimensions()  # what the file says of its size may be wrong
        fitting = [one for one in sheets if any(map(table.is_header, _head(one, table)))]
        if len(fitting) > 1:
            return _several([one.title for one in fitting])
        if not sheets:
            return UNREADABLE
        return _grid(fitting[0] if fitting else sheets[0], table)
    finally:
        book.close()


def _head(sheet: Any, table: Table) -> list[list[str]]:
    rows = sheet.iter_rows(max_row=table.head_rows, max_col=COLUMNS_READ)
    read = ([_text(cell, table) for cell in row] for row in rows)
    return [[text if isinstance(text, str) else "" for text in texts] for texts in read]


def _grid(sheet: Any, table: Table) -> Grid | Fault:
    lines: list[list[str]] = []
    faults: dict[tuple[int, int], Fault] = {}
    for line, row in enumerate(sheet.iter_rows(max_col=COLUMNS_READ)):
        if line >= EMPTY_ROWS_MAX:
            return UNREADABLE
        cells = [_text(cell, table) for cell in row]
        if not any(cells):
            continue
        lines += [[]] * (min(line, table.rows_max + 1) - len(lines))
        lines.append([cell if isinstance(cell, str) else "" for cell in cells])
        if line > table.rows_max:
            break
        faults |= {
            (line, place): cell for place, cell in enumerate(cells) if isinstance(cell, Fault)
        }
    return Grid(lines, str(sheet.title), faults)


def _text(cell: Any, table: Table) -> str | Fault:
    """A cell as text, or why it is none."""
    value, kind = cell.value, cell.data_type
    if value is None:
        return ""
    if kind == "f":
        return FORMULA
    if kind == "s":
        return str(value).strip()
    if kind == "n" and isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value)
    if table.has_days and isinstance(value, date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return NO_VALUE


def _number(value: float) -> str | Fault:
    """A number as somebody would write it. The shortest decimal that is this number is the one that was
    entered, up to 15 digits; one that was calculated shows all its places, and is no amount."""
    if not abs(value) < 10**DIGITS_MAX:  # so that what is no number is none either
        return ROUNDED
    written = Decimal(repr(value))
    return format(written.to_integral() if written == written.to_integral() else written, "f")


def _several(names: Sequence[str]) -> Fault:
    listed = ", ".join(names)
    return Fault(
        f"Several sheets of the workbook have such a table: {listed}. Leave one of them in it.",
        f"工作簿中有多个工作表含此类数据：{listed}。请只保留一个。",
    )
