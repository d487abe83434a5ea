"""Making the report of a day or a month."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from daozhang.clock import business_day
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.closing.days import days_of
from daozhang.service.closing.model import DayLine, MonthClosing
from daozhang.service.closing.months import month_of_account
from daozhang.service.closing.rules import month_named
from daozhang.service.db import Tx
from daozhang.service.exports.sheets import Workbook
from daozhang.service.ledger.reading import book_of, read_trial_balance
from daozhang.service.merchants.model import Merchant
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.reports import store
from daozhang.service.reports.model import Report, Signature
from daozhang.service.reports.refusals import ReportNotFound
from daozhang.service.reports.rules import ROWS_MAX, Words, sheets_of
from daozhang.service.web.context import Context

Covers = Callable[[int], bool]
"""Whether whoever reads works for the merchant of that row: an account may serve several."""


def make_report(
    context: Context,
    actor: Actor,
    merchant: Merchant,
    period: str,
    words: Words,
    covers: Covers,
) -> bytes:
    """The workbook of a day (``2026-03-01``) or month (``2026-03``), closed or not: who signed, its days,
    the trial balance, what differed and what was posted. Numbers of orders of merchants that the reader
    does not work for are left out. Raises `ReportNotFound`. Rights are the caller's to check.
    """
    now = context.clock.now()
    with context.database.begin() as tx:
        report = _report(tx, merchant, period, now, covers)
        subject = f"report:{report.name}"
        record(tx, actor, "report.taken", subject, now, merchant_id=merchant.id)
    folder = context.settings.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="report-") as place:
        path = Path(place) / "report.xlsx"
        write_report(report, words, path)
        return path.read_bytes()


def make_report_as(
    context: Context, actor: Person, merchant: Merchant, period: str, words: Words
) -> bytes:
    """The same for a person, who needs `ledger:read`."""
    require(actor, Right.LEDGER_READ, merchant.id)
    return make_report(context, actor.actor, merchant, period, words, actor.covers)


def write_report(report: Report, words: Words, path: Path) -> None:
    """Writes ``report`` as a workbook."""
    first, *others = sheets_of(report, words)
    with Workbook(path, first.headings, first.name) as book:
        for line in first.lines:
            book.write(line)
        for sheet in others:
            book.begin(sheet.headings, sheet.name)
            for line in sheet.lines:
                book.write(line)


def _report(tx: Tx, merchant: Merchant, period: str, now: datetime, covers: Covers) -> Report:
    name, days, signatures, is_closed = _span(tx, merchant, period, now)
    first, last = days[0].day, days[-1].day
    book = book_of(tx, merchant.id)
    where = (merchant.environment, merchant.seller_id)
    found, mismatch_count = store.list_mismatches(tx, *where, first, last, ROWS_MAX)
    posted, posted_count = store.list_moves(tx, book, first, last, ROWS_MAX)
    return Report(
        name=name,
        environment=merchant.environment,
        seller_id=merchant.seller_id,
        first=first,
        last=last,
        made_at=now,
        is_closed=is_closed,
        signatures=signatures,
        days=days,
        balance=read_trial_balance(tx, book, first, last),
        mismatches=[
            one
            if one.merchant_id is None or covers(one.merchant_id)
            else replace(one, out_trade_no=None, out_request_no=None, trade_no=None, key="")
            for one in found
        ],
        mismatch_count=mismatch_count,
        postings=[
            one
            if one.posted.merchant_id is None or covers(one.posted.merchant_id)
            else replace(one, out_trade_no=None)
            for one in posted
        ],
        posted_count=posted_count,
    )


def _span(
    tx: Tx, merchant: Merchant, period: str, now: datetime
) -> tuple[str, list[DayLine], list[Signature], bool]:
    month = month_named(period)
    if month is not None:
        sheet = month_of_account(tx, merchant, month, now)
        return period, list(sheet.days), _signatures(sheet.closing), sheet.is_closed
    try:
        day = date.fromisoformat(period)
    except ValueError:
        raise ReportNotFound(period) from None
    days = days_of(tx, merchant, day, day, business_day(now))
    closing = days[0].closing
    if closing is None:
        return day.isoformat(), days, [], False
    signed = Signature("closed", closing.closed_name, closing.closed_at, closing.note)
    return day.isoformat(), days, [signed], True


def _signatures(closing: MonthClosing | None) -> list[Signature]:
    if closing is None:
        return []
    signed = [Signature("proposed", closing.proposed_name, closing.proposed_at, closing.note)]
    if closing.closed_name is not None and closing.closed_at is not None:
        signed.append(Signature("closed", closing.closed_name, closing.closed_at))
    return signed
