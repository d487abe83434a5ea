"""Decisions of the journal: postings become vouchers, and vouchers lines of a file. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Final

from daozhang.money import Money
from daozhang.service.exports.rules import FORMULAS
from daozhang.service.journal.model import Line, Sum, Template, Value, Voucher
from daozhang.service.ledger.model import EntryKind

_KINDS: Final = {kind: place for place, kind in enumerate(EntryKind)}


def vouchers_of(template: Template, sums: Iterable[Sum]) -> list[Voucher]:
    """The vouchers of ``sums`` in the order of days, numbered through. Each move has both sides in the
    same voucher, so each balances; nothing is set off, so what came and what went stays to be seen."""

    def group(one: Sum) -> tuple[date, int]:
        day = one.day.replace(day=1) if template.group_by.is_monthly else one.day
        return day, _KINDS[one.kind] if template.group_by.has_kind else 0

    vouchers: list[Voucher] = []
    for _, parts in groupby(sorted(sums, key=group), key=group):
        content = list(parts)
        vouchers.append(
            Voucher(
                number=template.first_number + len(vouchers),
                day=max(one.day for one in content),
                summary=_summary(template, content),
                lines=_lines(template, content),
            )
        )
    return vouchers


def _summary(template: Template, content: Sequence[Sum]) -> str:
    kinds = sorted({one.kind for one in content}, key=lambda kind: _KINDS[kind])
    day = max(one.day for one in content)
    return template.summary.format(
        kind="、".join(template.kinds[kind] for kind in kinds),
        day=day.isoformat(),
        month=f"{day:%Y-%m}",
    )


def _lines(template: Template, content: Sequence[Sum]) -> list[Line]:
    """Debits before credits, by the code of their account."""
    sums: dict[tuple[bool, str], Line] = {}
    for one in content:
        for account, is_debit in ((one.debit, True), (one.credit, False)):
            subject = template.accounts[account]
            key = (not is_debit, subject.code)
            known = sums.get(key)
            amount = one.amount if known is None else known.amount + one.amount
            sums[key] = Line(subject if known is None else known.subject, is_debit, amount)
    return [sums[key] for key in sorted(sums)]


def write_file(template: Template, vouchers: Sequence[Voucher]) -> bytes:
    """The file of ``vouchers``. No cell of it is a formula to a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for first_line in template.first_lines:
        writer.writerow([guarded(cell) for cell in first_line])
    if template.has_heading:
        writer.writerow([guarded(column.heading) for column in template.columns])
    for voucher in vouchers:
        for place, line in enumerate(voucher.lines):
            writer.writerow(_cells(template, voucher, line, place))
    return text.getvalue().encode(template.encoding.value)


def _cells(template: Template, voucher: Voucher, line: Line, place: int) -> list[str]:
    return [
        guarded(
            column.text or ""
            if column.value is None
            else CELLS[column.value](template, voucher, line, place)
        )
        for column in template.columns
    ]


def guarded(cell: str | Decimal) -> str:
    """A cell as a spreadsheet shows it. Unlike in lists of orders, long numbers get no tab behind them:
    the other program compares codes of accounts to the letter."""
    text = str(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(FORMULAS) else text


Cell = Callable[[Template, Voucher, Line, int], str | Decimal]


def _amount(amount: Money) -> Decimal:
    return Decimal(str(amount))


def _side(template: Template, line: Line, *, debit: bool) -> str | Decimal:
    return _amount(line.amount) if line.is_debit is debit else template.nothing


CELLS: Final[Mapping[Value, Cell]] = {
    Value.DATE: lambda template, voucher, _, __: voucher.day.strftime(template.date_format),
    Value.YEAR: lambda _, voucher, __, ___: str(voucher.day.year),
    Value.PERIOD: lambda _, voucher, __, ___: str(voucher.day.month),
    Value.WORD: lambda template, _, __, ___: template.word,
    Value.NUMBER: lambda _, voucher, __, ___: str(voucher.number),
    Value.LINE: lambda _, __, ___, place: str(place + 1),
    Value.LINE_FROM_ZERO: lambda _, __, ___, place: str(place),
    Value.SUMMARY: lambda _, voucher, __, ___: voucher.summary,
    Value.ACCOUNT_CODE: lambda _, __, line, ___: line.subject.code,
    Value.ACCOUNT_NAME: lambda _, __, line, ___: line.subject.name,
    Value.DEBIT: lambda template, _, line, __: _side(template, line, debit=True),
    Value.CREDIT: lambda template, _, line, __: _side(template, line, debit=False),
    Value.AMOUNT: lambda _, __, line, ___: _amount(line.amount),
    Value.SIDE: lambda template, _, line, __: (
        template.debit_word if line.is_debit else template.credit_word
    ),
    Value.CURRENCY: lambda _, __, line, ___: line.amount.currency,
    Value.PREPARED_BY: lambda template, _, __, ___: template.prepared_by,
    Value.ATTACHMENTS: lambda template, _, __, ___: str(template.attachments),
}
"""What a cell says, by what its column holds."""


def debits_of(vouchers: Iterable[Voucher]) -> Money:
    """All debits together, which are all credits together."""
    minor = sum(
        line.amount.minor for voucher in vouchers for line in voucher.lines if line.is_debit
    )
    return Money(minor)
