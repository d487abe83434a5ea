"""The verbs: import a bank statement, see what is matched and what is not, say which is which."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from daozhang.clock import BEIJING
from daozhang.money import Money
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.banking import rules, store
from daozhang.service.banking.model import (
    BankLine,
    Columns,
    Match,
    StatementRead,
    Suggestion,
    Withdrawal,
)
from daozhang.service.banking.refusals import MatchPartUnknown, MatchUneven
from daozhang.service.banking.statements import read_statement
from daozhang.service.db import Tx
from daozhang.service.ids import new_id
from daozhang.service.ledger.by_hand import request_entry
from daozhang.service.ledger.model import Account, Book
from daozhang.service.ledger.reading import book_of
from daozhang.service.ledger.store import lock_book, make_book
from daozhang.service.web.context import Context

MATCHES_SHOWN: Final = 100
ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a statement: ``new_count`` lines were not here yet."""

    read: StatementRead
    sha256: str
    new_count: int


@dataclass(frozen=True, slots=True)
class BankSide:
    """Withdrawals and the bank's lines, with what matches have of either, and what probably belongs
    together."""

    book: Book
    withdrawals: Sequence[Withdrawal]
    lines: Sequence[BankLine]
    matches: Sequence[Match]
    suggestions: Sequence[Suggestion]


def import_statement(
    context: Context, actor: Actor, merchant_id: int, content: bytes, columns: Columns
) -> Imported:
    """Keeps what a bank statement has of Alipay's payments to the merchant's bank. The same lines again,
    in the same file or in one that overlaps, are the same. Raises `StatementUnreadable`."""
    read = read_statement(content, columns)
    sha256, now = hashlib.sha256(content).hexdigest(), context.clock.now()
    with context.database.begin() as tx:
        book = book_of(tx, merchant_id)
        rows = [
            {
                "public_id": new_id("bl", now),
                "environment": book.environment,
                "seller_id": book.seller_id,
                "day": line.day,
                "amount_minor": line.minor,
                "counterparty": line.counterparty,
                "reference": line.reference,
                "fingerprint": line.fingerprint,
                "file_sha256": sha256,
                "added_by": str(actor),
                "added_at": now,
            }
            for line in read.lines
        ]
        new_count = sum(
            store.insert_lines(tx, rows[first : first + ROWS_AT_ONCE])
            for first in range(0, len(rows), ROWS_AT_ONCE)
        )
        record(
            tx,
            actor,
            "bank.statement_imported",
            f"bank:{book.seller_id}",
            now,
            merchant_id=merchant_id,
            sha256=sha256,
            lines=len(rows),
            new=new_count,
        )
    return Imported(read, sha256, new_count)


def read_bank_side(tx: Tx, book: Book, first: date, last: date) -> BankSide:
    """What left for the bank and what arrived, of those days. What is open is shown however old it is."""
    withdrawals = store.list_withdrawals(tx, book)
    lines = store.list_lines(tx, book, date.min, last)
    return BankSide(
        book=book,
        withdrawals=[one for one in withdrawals if one.open_minor or first <= one.day <= last],
        lines=[one for one in lines if one.is_free or one.day >= first],
        matches=store.list_matches(tx, book, MATCHES_SHOWN),
        suggestions=rules.suggest(withdrawals, lines),
    )


def match(
    context: Context,
    actor: Actor,
    merchant_id: int,
    days: Collection[date],
    line_ids: Collection[str],
    *,
    key_made_by: str | None = None,
) -> Match:
    """Says that the withdrawals of these days are these lines of the bank. A bank statement is an
    unsigned file, so a second person has to agree; then the ledger has the money at the bank.

    Raises `MatchPartUnknown` and `MatchUneven`.
    """
    now = context.clock.now()
    with context.database.begin() as tx:
        book = _lock(tx, merchant_id)
        taken, lines = _parts(tx, book, days, line_ids)
        arrived = sum(one.minor for one in lines)
        public_id = new_id("bm", now)
        row = {
            "public_id": public_id,
            "environment": book.environment,
            "seller_id": book.seller_id,
            "merchant_id": merchant_id,
            "amount_minor": arrived,
            "created_by": str(actor),
            "created_at": now,
        }
        match_id = store.insert_match(tx, row, taken)
        store.give_lines(tx, match_id, [one.id for one in lines])
        if arrived:
            waiting = request_entry(
                tx,
                actor,
                merchant_id,
                key=public_id,
                legs={Account.BANK: arrived, Account.WITHDRAWAL_IN_TRANSIT: -arrived},
                at=_moment(max(one.day for one in lines), now),
                memo=_memo(sorted(taken), lines),
                now=now,
                key_made_by=key_made_by,
            )
            store.set_approval(tx, match_id, waiting.id)
        record(
            tx,
            actor,
            "bank.matched",
            f"bank:{book.seller_id}",
            now,
            merchant_id=merchant_id,
            match=public_id,
            amount=str(Money(arrived, book.currency)),
        )
        found = store.find_match(tx, book, public_id)
        assert found is not None
        return found


def _parts(
    tx: Tx, book: Book, days: Collection[date], line_ids: Collection[str]
) -> tuple[dict[date, int], list[BankLine]]:
    """What is open of those days, and those lines. Raises what `match` raises."""
    open_days = {
        one.day: one.open_minor for one in store.list_withdrawals(tx, book) if one.open_minor
    }
    for day in days:
        if day not in open_days:
            raise MatchPartUnknown(day.isoformat())
    there = store.list_lines(tx, book, date.min, date.max, public_ids=line_ids)
    lines = {one.public_id: one for one in there if one.is_free}
    for public_id in line_ids:
        if public_id not in lines:
            raise MatchPartUnknown(public_id)
    taken = {day: open_days[day] for day in days}
    withdrawn, arrived = sum(taken.values()), sum(one.minor for one in lines.values())
    if withdrawn != arrived:
        raise MatchUneven(Money(withdrawn, book.currency), Money(arrived, book.currency))
    return taken, list(lines.values())


def _lock(tx: Tx, merchant_id: int) -> Book:
    """The book, held alone: nobody else takes the same days or lines meanwhile."""
    book = book_of(tx, merchant_id)
    make_book(tx, book.environment, book.seller_id, book.currency)
    # Not held beside others first: two who do that wait for one another.
    return lock_book(tx, book_of(tx, merchant_id).id)


def _moment(day: date, now: datetime) -> datetime:
    """Noon of the bank's day: a statement says no better. Nothing is posted to a time to come."""
    return min(datetime.combine(day, time(12), BEIJING), now)


def _memo(days: Sequence[date], lines: Sequence[BankLine]) -> str:
    """What the second person sees."""
    withdrawn = ", ".join(day.isoformat() for day in days)
    arrived = ", ".join(f"{one.day.isoformat()} {one.reference}".strip() for one in lines)
    return f"withdrawn 提现 {withdrawn}; at the bank 到账 {arrived}"[:256]
