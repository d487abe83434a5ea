"""Lists as files: a spreadsheet, or lines of text that a spreadsheet opens."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Protocol

from daozhang.service.exports.model import ExportFormat
from daozhang.service.exports.rules import Cell, csv_cell, in_beijing

SHEET_ROWS_MAX: Final = 1_048_576
"""As many as a sheet can have, with its heading."""


class Sheet(Protocol):
    """Where lines are written to, one after the other."""

    def write(self, cells: Sequence[Cell]) -> None:
        """The next line."""
        ...


def open_sheet(
    path: Path, form: ExportFormat, headings: Sequence[str]
) -> AbstractContextManager[Sheet]:
    """A new file at ``path``; it is whole once the block has ended."""
    return Workbook(path, headings) if form is ExportFormat.XLSX else Lines(path, headings)


class Lines:
    """CSV in UTF-8 with the mark by which Excel and WPS know it; every other tool reads it too."""

    def __init__(self, path: Path, headings: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(headings)

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._file.close()

    def write(self, cells: Sequence[Cell]) -> None:
        """The next line."""
        self._writer.writerow([csv_cell(cell) for cell in cells])


class Workbook:
    """XLSX. Amounts are numbers, times are times, and all else is text, whatever it looks like."""

    def __init__(self, path: Path, headings: Sequence[str], name: str | None = None) -> None:
        # On first use: most processes never write one.
        import xlsxwriter  # pyright: ignore[reportMissingTypeStubs]

        self._book: Any = xlsxwriter.Workbook(
            str(path), {"constant_memory": True, "tmpdir": str(path.parent)}
        )
        self._bold = self._book.add_format({"bold": True})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._money = self._book.add_format({"num_format": "#,##0.00"})
        self._time = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self.begin(headings, name)

    def __enter__(self) -> Workbook:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._book.close()

    def write(self, cells: Sequence[Cell]) -> None:
        """The next line; a full sheet is followed by another."""
        if self._row == SHEET_ROWS_MAX:
            self.begin(self._headings)
        for column, cell in enumerate(cells):
            match cell:
                case None:
                    continue
                case Decimal():
                    self._sheet.write_number(self._row, column, cell, self._money)
                case int():
                    self._sheet.write_number(self._row, column, cell)
                case datetime():
                    self._sheet.write_datetime(self._row, column, in_beijing(cell), self._time)
                case date():
                    self._sheet.write_datetime(self._row, column, cell, self._day)
                case _:
                    self._sheet.write_string(self._row, column, cell)
        self._row += 1

    def begin(self, headings: Sequence[str], name: str | None = None) -> None:
        """Another sheet; what is written from now on stands there."""
        self._headings = headings
        self._sheet: Any = self._book.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, 1, 32)
        self._sheet.set_column(2, max(len(headings), 2), 18)
        for column, heading in enumerate(headings):
            self._sheet.write_string(0, column, heading, self._bold)
        self._row = 1
