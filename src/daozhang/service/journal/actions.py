"""Making the file of a closed day or month."""

from __future__ import annotations

from datetime import date

from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.closing import store as closing
from daozhang.service.closing.months import month_of_account
from daozhang.service.closing.rules import month_named
from daozhang.service.db import Tx
from daozhang.service.journal import store
from daozhang.service.journal.model import JournalFile, Span, Template
from daozhang.service.journal.refusals import SpanMissing, SpanNotClosed, SpanNotWhole
from daozhang.service.journal.rules import debits_of, vouchers_of, write_file
from daozhang.service.ledger.reading import book_of
from daozhang.service.merchants.model import Merchant
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context


def export_journal(
    context: Context, actor: Actor, merchant: Merchant, period: str, template: Template
) -> JournalFile:
    """The vouchers of a closed day (``2026-03-01``) or month (``2026-03``); the trail says who has them.

    Numbers count through the month, so days that go out one after the other do not collide. Raises
    `SpanMissing`, `SpanNotClosed` and `SpanNotWhole`. The rights of ``actor`` are the caller's to check.
    """
    now = context.clock.now()
    with context.database.begin() as tx:
        span = _span(tx, context, merchant, period)
        if template.group_by.is_monthly and not span.is_month:
            raise SpanNotWhole(span.name)
        begins = max(span.first.replace(day=1), _first_closed(tx, merchant))
        sums = store.sum_moves(tx, book_of(tx, merchant.id), begins, span.last)
        vouchers = [
            one for one in vouchers_of(template, sums) if span.first <= one.day <= span.last
        ]
        record(
            tx,
            actor,
            "journal.exported",
            f"journal:{span.name}",
            now,
            merchant_id=merchant.id,
            template=template.title,
            vouchers=len(vouchers),
        )
    return JournalFile(
        name=f"journal-{merchant.slug}-{span.name}.{template.extension}",
        content=write_file(template, vouchers),
        voucher_count=len(vouchers),
        line_count=sum(len(one.lines) for one in vouchers),
        debits=debits_of(vouchers),
    )


def export_journal_as(
    context: Context, actor: Person, merchant: Merchant, period: str, template: Template
) -> JournalFile:
    """The same for a person, who needs `ledger:read`."""
    require(actor, Right.LEDGER_READ, merchant.id)
    return export_journal(context, actor.actor, merchant, period, template)


def _span(tx: Tx, context: Context, merchant: Merchant, period: str) -> Span:
    month = month_named(period)
    if month is not None:
        sheet = month_of_account(tx, merchant, month, context.clock.now())
        if not sheet.is_closed:
            raise SpanNotClosed(period)
        return Span(period, sheet.first, sheet.last)
    try:
        day = date.fromisoformat(period)
    except ValueError:
        raise SpanMissing from None
    if not closing.list_closed(tx, merchant.environment, merchant.seller_id, day, day):
        raise SpanNotClosed(day.isoformat())
    return Span(day.isoformat(), day, day)


def _first_closed(tx: Tx, merchant: Merchant) -> date:
    """From when on days are closed; what is older is in no month that anybody signed."""
    first, _ = closing.closed_span(tx, merchant.environment, merchant.seller_id)
    assert first is not None, "a span is closed"
    return first
