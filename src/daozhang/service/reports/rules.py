"""What stands in each sheet of a report, cell by cell. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from daozhang.clock import business_day
from daozhang.money import Money
from daozhang.service.exports.rules import Cell
from daozhang.service.reports.model import Report

Words = Mapping[str, str]
"""How things are called in the reader's language; whatever has no word goes by its own name."""

ROWS_MAX: Final = 20_000
"""So many mismatches and postings are listed: a workbook is for people."""


@dataclass(frozen=True, slots=True)
class SheetContent:
    """A sheet: its name, its headings and its lines."""

    name: str
    headings: Sequence[str]
    lines: Iterator[Sequence[Cell]]


SHEETS: Final[Mapping[str, Sequence[str]]] = {
    "summary": ("what", "value"),
    "days": ("day", "colour", "open_count", "open_amount", "closed_by", "closed_at"),
    "trial_balance": ("account", "opening", "debits", "credits", "closing"),
    "mismatches": (
        "number", "day", "bill", "class", "refund_number", "trade_number", "ours", "theirs", "ended",
        "first_seen_at", "ended_at",
    ),
    "postings": (
        "entry", "order", "kind", "booked_on", "value_date", "happened_at", "debit", "credit", "amount",
        "memo",
    ),
}  # fmt: skip
"""The sheets in their order, with the names of their columns."""


def sheets_of(report: Report, words: Words) -> Iterator[SheetContent]:
    """The sheets of ``report``."""
    lines = {
        "summary": _summary(report, words),
        "days": _days(report, words),
        "trial_balance": _balance(report, words),
        "mismatches": _mismatches(report, words),
        "postings": _postings(report, words),
    }
    for name, columns in SHEETS.items():
        headings = [words.get(f"column.{column}", column) for column in columns]
        yield SheetContent(words.get(f"sheet.{name}", name), headings, lines[name])


def _summary(report: Report, words: Words) -> Iterator[Sequence[Cell]]:
    def line(name: str, value: Cell) -> Sequence[Cell]:
        return words.get(f"line.{name}", name), value

    yield line("seller_id", report.seller_id)
    yield line("environment", report.environment)
    yield line("period", report.name)
    yield line("first", report.first)
    yield line("last", report.last)
    status = "closed" if report.is_closed else "open"
    yield line("status", words.get(f"status.{status}", status))
    for signature in report.signatures:
        yield line(f"{signature.deed}_by", signature.name)
        yield line(f"{signature.deed}_at", signature.at)
        if signature.note is not None:
            yield line("note", signature.note)
    yield line("days_closed", sum(one.closing is not None for one in report.days))
    yield line("days", len(report.days))
    yield line("open_count", sum(one.open_count for one in report.days))
    yield line("open_amount", amount(sum(one.open_minor for one in report.days)))
    yield line("mismatches", report.mismatch_count)
    yield line("mismatches_listed", len(report.mismatches))
    yield line("postings", report.posted_count)
    yield line("postings_listed", len(report.postings))
    yield line("made_at", report.made_at)
    yield line("zone", "Asia/Shanghai, UTC+08:00")


def _days(report: Report, words: Words) -> Iterator[Sequence[Cell]]:
    for one in report.days:
        closing = one.closing
        yield (
            one.day,
            words.get(f"colour.{one.colour}", one.colour.value),
            one.open_count,
            amount(one.open_minor),
            None if closing is None else closing.closed_name,
            None if closing is None else closing.closed_at,
        )


def _balance(report: Report, words: Words) -> Iterator[Sequence[Cell]]:
    for one in report.balance.accounts:
        name = words.get(f"account.{one.account}", one.account.value)
        sums = (one.opening, one.debits, one.credits, one.closing)
        yield name, *(amount(minor) for minor in sums)


def _mismatches(report: Report, words: Words) -> Iterator[Sequence[Cell]]:
    for one in report.mismatches:
        end = one.resolution
        yield (
            one.out_trade_no or one.key,
            one.day,
            words.get(f"bill.{one.kind}", one.kind.value),
            words.get(f"class.{one.mismatch}", one.mismatch.value),
            one.out_request_no,
            one.trade_no,
            None if one.ours_minor is None else amount(one.ours_minor),
            None if one.theirs_minor is None else amount(one.theirs_minor),
            None if end is None else words.get(f"end.{end}", end),
            one.first_seen_at,
            one.resolved_at,
        )


def _postings(report: Report, words: Words) -> Iterator[Sequence[Cell]]:
    for line in report.postings:
        one, move = line.posted, line.posted.move
        yield (
            f"{one.kind}:{one.key}",
            line.out_trade_no,
            words.get(f"kind.{one.kind}", one.kind.value),
            one.booked_on,
            business_day(one.at),
            one.at,
            words.get(f"account.{move.debit}", move.debit.value),
            words.get(f"account.{move.credit}", move.credit.value),
            Decimal(str(move.amount)),
            one.memo,
        )


def amount(minor: int) -> Decimal:
    """Yuan, exactly."""
    return Decimal(str(Money(minor)))
