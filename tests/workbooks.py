"""Workbooks in tests: what a spreadsheet reads in an XLSX file, sheet by sheet."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

from daozhang.clock import BEIJING

SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

Cell = str | Decimal | None


def read_workbook(content: bytes) -> dict[str, list[list[Cell]]]:
    """The lines of each sheet, by its name: text as text, numbers (times, too) as numbers. A formula fails."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        named = ET.fromstring(book.read("xl/workbook.xml")).iter(f"{SPACE}sheet")
        names = [sheet.get("name") or "" for sheet in named]
        shared: list[str] = []
        if "xl/sharedStrings.xml" in book.namelist():
            strings = ET.fromstring(book.read("xl/sharedStrings.xml"))
            shared = ["".join(part.itertext()) for part in strings.iter(f"{SPACE}si")]
        return {
            name: _lines(ET.fromstring(book.read(f"xl/worksheets/sheet{place}.xml")), shared)
            for place, name in enumerate(names, 1)
        }


def _lines(sheet: ET.Element, shared: list[str]) -> list[list[Cell]]:
    lines: list[list[Cell]] = []
    for row in sheet.iter(f"{SPACE}row"):
        line: list[Cell] = []
        for cell in row.iter(f"{SPACE}c"):
            assert cell.find(f"{SPACE}f") is None, "a formula"
            column = ord((cell.get("r") or "A")[0]) - ord("A")
            line += [None] * (column - len(line))
            line.append(_value(cell, shared))
        lines.append(line)
    return lines


def _value(cell: ET.Element, shared: list[str]) -> Cell:
    if cell.get("t") == "inlineStr":
        return "".join(cell.find(f"{SPACE}is").itertext())  # type: ignore[union-attr]
    value = cell.findtext(f"{SPACE}v")
    if value is None:
        return None
    return shared[int(value)] if cell.get("t") == "s" else Decimal(value)


def moment(cell: Cell) -> datetime:
    """The time in Beijing that a spreadsheet shows for a number, to the second."""
    assert isinstance(cell, Decimal)
    seconds = round(float(cell) * 86400)
    return datetime(1899, 12, 30, tzinfo=BEIJING) + timedelta(seconds=seconds)
