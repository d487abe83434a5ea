"""Comparing a trade bill: every pair that may differ is decided, and what differs is noted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from daozhang.alipay.bills import Side
from daozhang.clock import to_beijing_text
from daozhang.service.reconciliation import matching, rules
from daozhang.service.reconciliation.loading import Loaded
from daozhang.service.reconciliation.model import LineSide, MismatchClass
from daozhang.service.reconciliation.noting import Notes
from daozhang.service.reconciliation.pairing import Day, pair_payments
from daozhang.service.reconciliation.workbench import Bench

WRITTEN_MAX: Final = 10_000
"""So many mismatches of a class are written down; of more it is known how many there are."""


@dataclass(slots=True)
class Findings:
    """What a run has found, before it is written."""

    loaded: Loaded
    fee_ppm: int = 0
    rows: Notes = field(default_factory=Notes)
    counts: Counter[str] = field(default_factory=Counter[str])
    sums: Counter[str] = field(default_factory=Counter[str])
    cut: defaultdict[date, list[str]] = field(
        default_factory=lambda: defaultdict[date, list[str]](list)
    )
    billed: list[int] = field(default_factory=list[int])
    matched_count: int = 0
    matched_minor: int = 0
    figures: dict[str, Any] = field(default_factory=dict[str, Any])

    def add(self, mismatch: MismatchClass, key: str, by: int, **values: Any) -> None:
        """Notes something that differs, ``by`` so many fen; of one thing the first line that does."""
        name = mismatch.value
        if (name, key) in self.rows:
            return
        self.counts[name] += 1
        self.sums[name] += abs(by)
        if self.counts[name] <= WRITTEN_MAX:
            self.rows.add(name, key, {"mismatch": name, "key": key, **values})


def compare_trade(bench: Bench, day: Day, found: Findings) -> None:
    """Compares the lines on the bench with the books of the day, both ways."""
    paid = found.loaded.totals[Side.PAYMENTS]
    # All of them agree, but for those that turn out to differ.
    found.matched_count, found.matched_minor = paid.count, paid.amount.minor
    repeated = pair_payments(bench, day, paid.count)
    _compare_payments(bench, day, found)
    if repeated:
        _note_repeated(bench, day, found)
    _compare_refunds(bench, day, found)


def _compare_payments(bench: Bench, day: Day, found: Findings) -> None:
    unknown: set[str] = set()
    for pair in matching.odd_payments(bench):
        classes = rules.differs(pair.line, pair.books, day.day, day.fee_ppm)
        key = rules.key_of(False, pair.line.out_trade_no, "")
        if classes == (MismatchClass.DAY_CUT,) and pair.books is not None:
            assert pair.books.day is not None
            found.cut[pair.books.day].append(key)
        elif pair.books is None and pair.line.out_trade_no in unknown:
            _note(found, MismatchClass.DUPLICATE, pair)
        else:
            for mismatch in classes:
                _note(found, mismatch, pair)
        if pair.books is None and len(unknown) < WRITTEN_MAX:
            unknown.add(pair.line.out_trade_no)
        if classes and classes != (MismatchClass.DAY_CUT,):
            found.matched_count -= 1
            found.matched_minor -= pair.line.receipt
    for row in matching.unbilled_payments(bench):
        found.add(
            MismatchClass.MISSING_THERE,
            rules.key_of(False, row["out_trade_no"], ""),
            row["amount_minor"],
            **_numbers(row, order_id=row["id"]),
            ours_minor=row["amount_minor"],
            theirs_minor=None,
            evidence={"paid_at": to_beijing_text(row["paid_at"])},
        )


def _note_repeated(bench: Bench, day: Day, found: Findings) -> None:
    for row in matching.repeated_payments(bench, day):
        found.add(
            MismatchClass.DUPLICATE,
            rules.key_of(False, row["out_trade_no"], ""),
            row["total"],
            **_numbers(row),
            ours_minor=row["amount_minor"],
            theirs_minor=row["total"] * row["times"],
            evidence={"times": row["times"], "line": row["number"]},
        )


def _compare_refunds(bench: Bench, day: Day, found: Findings) -> None:
    seen: Counter[str] = Counter()
    for pair in matching.refund_pairs(bench, day):
        line = pair.line
        key = rules.key_of(True, line.out_trade_no, line.out_request_no)
        seen[key] += 1
        if seen[key] > 1:
            _note(found, MismatchClass.DUPLICATE, pair)
            continue
        if pair.refund_id is not None:
            found.billed.append(pair.refund_id)
        classes = rules.differs(line, pair.books, day.day, day.fee_ppm)
        if not classes or classes == (MismatchClass.DAY_CUT,):
            found.matched_count += 1
            found.matched_minor += line.receipt
        if classes == (MismatchClass.DAY_CUT,) and pair.books is not None:
            assert pair.books.day is not None
            found.cut[pair.books.day].append(key)
            continue
        for mismatch in classes:
            _note(found, mismatch, pair)
    for row in matching.unbilled_refunds(bench, day, found.billed):
        found.add(
            MismatchClass.MISSING_THERE,
            rules.key_of(True, row["out_trade_no"], row["out_request_no"] or ""),
            row["amount_minor"],
            **_numbers(row),
            ours_minor=-row["amount_minor"],
            theirs_minor=None,
            evidence={"refunded_at": to_beijing_text(row["ended_at"])},
        )


def _note(found: Findings, mismatch: MismatchClass, pair: matching.Pair) -> None:
    line, books = pair.line, pair.books
    ours = None
    if books is not None:
        ours = -books.amount if line.is_refund else books.amount
    theirs = line.total
    if mismatch is MismatchClass.FEE_DIFFERS:
        ours, theirs = rules.fee_of(line.receipt, found.fee_ppm), line.fee
    found.add(
        mismatch,
        rules.key_of(line.is_refund, line.out_trade_no, line.out_request_no),
        theirs - (ours or 0),
        merchant_id=pair.merchant_id,
        order_id=pair.order_id,
        trade_no=line.trade_no,
        out_trade_no=line.out_trade_no,
        out_request_no=line.out_request_no or None,
        ours_minor=ours,
        theirs_minor=theirs,
        evidence={"bill": _line_content(line), "books": _books_content(pair)},
    )


def _numbers(row: Mapping[str, Any], order_id: int | None = None) -> dict[str, Any]:
    return {
        "merchant_id": row["merchant_id"],
        "order_id": order_id or row["order_id"],
        "trade_no": row["trade_no"],
        "out_trade_no": row["out_trade_no"],
        "out_request_no": row.get("out_request_no"),
    }


def _line_content(line: LineSide) -> dict[str, Any]:
    return {
        "line": line.number,
        "trade_no": line.trade_no,
        "at": line.at,
        "total_minor": line.total,
        "receipt_minor": line.receipt,
        "fee_minor": line.fee,
    }


def _books_content(pair: matching.Pair) -> dict[str, Any] | None:
    books = pair.books
    if books is None:
        return None
    return {
        "status": books.status,
        "trade_no": books.trade_no,
        "amount_minor": books.amount,
        "receipt_minor": books.receipt,
        "day": None if books.day is None else books.day.isoformat(),
    }
