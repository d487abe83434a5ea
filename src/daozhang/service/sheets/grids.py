"""A sheet as lines of text, whatever file it came in: CSV here, a workbook in `workbooks`. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a file, or a cell of it, is not read."""

    say: str
    say_zh: str


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of a sheet, without space around them; the first line names the columns.

    ``name`` is the sheet's name in its workbook, ``None`` for CSV. ``faults`` are cells that are no text
    and no number, by line and place, both counted from zero; they are empty in ``lines``.
    """

    lines: Sequence[Sequence[str]]
    name: str | None = None
    faults: Mapping[tuple[int, int], Fault] = field(default_factory=dict[tuple[int, int], Fault])


NO_TABLE = Fault(
    "The file is no XLSX, and no CSV in UTF-8 or GBK: save it as one of these.",
    "文件不是 XLSX，也不是 UTF-8 或 GBK 编码的 CSV：请另存为其中一种。",
)


def read_csv(content: bytes) -> Grid | Fault:
    """What a CSV holds; empty lines at its end are left out."""
    text = _decoded(content)
    if text is None:
        return NO_TABLE
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        lines = [[cell.strip() for cell in line] for line in reader]
    except csv.Error:
        return Fault(
            f"A cell has no end by line {reader.line_num}: a quote is opened and never closed.",
            f"第 {reader.line_num} 行：单元格没有结束，引号未闭合。",
        )
    while lines and not any(lines[-1]):
        lines.pop()
    return Grid(lines)


def _decoded(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None
