"""Workbooks for tests, as somebody with a spreadsheet makes them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import xlsxwriter


def workbook(sheets: Mapping[str, Sequence[Sequence[Any]]]) -> bytes:
    """A workbook whose cells are of the kinds of their values; what begins with ``=`` is a formula."""
    held = io.BytesIO()
    book: Any = xlsxwriter.Workbook(held, {"in_memory": True})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        sheet: Any = book.add_worksheet(name)
        for row, cells in enumerate(rows):
            for at, cell in enumerate(cells):
                match cell:
                    case None:
                        continue
                    case date():
                        sheet.write_datetime(row, at, cell, day)
                    case str() if not cell.startswith("="):
                        sheet.write_string(row, at, cell)
                    case _:
                        sheet.write(row, at, cell)
    book.close()
    return held.getvalue()
