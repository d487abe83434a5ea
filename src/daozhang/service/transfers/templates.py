"""An empty sheet of transfers to be filled in: a workbook, or CSV for whatever else there is."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any, Final

from daozhang.service.transfers.sheets import COLUMNS

EXAMPLES: Final = (
    ("T2026030001", "支付宝账号", "13800138000", "张小明", "128.00", "三月佣金", "", "", "", ""),
    ("T2026030002", "支付宝用户号", "2088123456789012", "", "66.60", "三月佣金", "", "", "", ""),
    (
        "T2026030003",
        "银行卡",
        "6222020000000000000",
        "李芳",
        "2000.00",
        "货款",
        "三月货款",
        "个人",
        "",
        "",
    ),
)


def csv_template(encoding: str) -> bytes:
    """The columns and examples as CSV: ``utf-8`` (with a mark) or ``gbk``."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS.values())
    # A tab keeps a spreadsheet from rounding a long number.
    writer.writerows([_kept(cell) for cell in row] for row in EXAMPLES)
    return text.getvalue().encode("gb18030" if encoding == "gbk" else "utf-8-sig")


def workbook_template() -> bytes:
    """The columns and examples as XLSX: amounts are numbers of two decimals, all else is text, so that no
    long number is rounded."""
    # On first use: most processes never write one.
    import xlsxwriter  # pyright: ignore[reportMissingTypeStubs]

    held = io.BytesIO()
    book: Any = xlsxwriter.Workbook(held, {"in_memory": True})
    sheet: Any = book.add_worksheet("转账")
    bold, text, money = (
        book.add_format(form)
        for form in ({"bold": True}, {"num_format": "@"}, {"num_format": "0.00"})
    )
    amount_at = list(COLUMNS).index("amount")
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(COLUMNS) - 1, 20, text)
    sheet.set_column(amount_at, amount_at, 14, money)
    for at, name in enumerate(COLUMNS.values()):
        sheet.write_string(0, at, name, bold)
    for row, cells in enumerate(EXAMPLES, 1):
        for at, cell in enumerate(cells):
            if at == amount_at:
                sheet.write_number(row, at, Decimal(cell), money)
            elif cell:
                sheet.write_string(row, at, cell, text)
    book.close()
    return held.getvalue()


def _kept(cell: str) -> str:
    return f"{cell}\t" if cell.isdigit() and len(cell) > 10 else cell
