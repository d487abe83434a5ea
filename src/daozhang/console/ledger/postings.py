"""What was posted, as the pages of a day and of an entry show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from daozhang.clock import business_day
from daozhang.console.ledger.names import ACCOUNTS, KINDS
from daozhang.console.ledger.spans import month_of
from daozhang.console.ledger.views import Amounts, BookView, amounts_of, book_view
from daozhang.console.paging import ROWS, Pages, with_query
from daozhang.console.visits import Visit
from daozhang.money import Money
from daozhang.service.ledger.model import Account, Balance, Book, EntryKind, Posted
from daozhang.service.web.pagination import write_cursor

AFTER = "after"
"""The field of an address that says after which posting a page begins: the oldest stands first."""


@dataclass(frozen=True, slots=True)
class OrderLink:
    """The order that an entry is about, if it is one of a merchant that the visitor works for."""

    address: str
    number: str


@dataclass(frozen=True, slots=True)
class PostedRow:
    """A move, seen from one of its accounts. ``value_date`` is there only where it is another day
    than the one that it is booked on."""

    id: int
    address: str
    kind: str
    at: datetime
    value_date: date | None
    order: OrderLink | None
    other: str
    other_address: str
    debit: Money | None
    credit: Money | None
    memo: str | None
    is_gone: bool


@dataclass(frozen=True, slots=True)
class DayView:
    """What was posted to an account on a day."""

    book: BookView
    here: str
    path: str
    account: Account
    name: str
    day: date
    is_locked: bool
    before: str
    after: str
    days: str
    amounts: Amounts
    rows: Sequence[PostedRow]
    pages: Pages


@dataclass(frozen=True, slots=True)
class LegRow:
    """One move of an entry: from the credited account to the debited one."""

    debit: str
    debit_address: str
    credit: str
    credit_address: str
    amount: Money


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry whole. ``reversal`` is the address of the one that took it back, ``reverses`` of the
    one that it takes back."""

    book: BookView
    kind: EntryKind
    key: str
    kind_text: str
    amount: Money
    at: datetime
    booked_on: date
    value_date: date | None
    order: OrderLink | None
    memo: str | None
    legs: Sequence[LegRow]
    reversal: str | None
    reverses: str | None
    may_take_back: bool
    address: str
    refusal: str | None


def day_view(
    visit: Visit,
    book: Book,
    day: date,
    held: Balance,
    posted: Sequence[Posted],
    numbers: Mapping[int, tuple[int, str]],
    gone: set[tuple[EntryKind, str]],
) -> DayView:
    """A day of an account; of ``posted`` one more than a page holds may have been read."""
    shown = book_view(visit, book, None)
    account = held.account
    path = f"{shown.path}/{account}"

    def of(other: date, **more: str) -> str:
        return with_query(path, {"day": other.isoformat(), **more})

    page = posted[:ROWS]
    onward = of(day, **{AFTER: write_cursor(page[-1].id)}) if len(posted) > ROWS else None
    return DayView(
        book=shown,
        here=visit.address,
        path=path,
        account=account,
        name=visit.t(ACCOUNTS[account]),
        day=day,
        is_locked=book.locked_through is not None and day <= book.locked_through,
        before=of(day - timedelta(days=1)),
        after=of(day + timedelta(days=1)),
        days=with_query(path, month_of(day).query),
        amounts=amounts_of([held], book.currency),
        rows=[_posted_row(visit, shown, account, one, numbers, gone) for one in page],
        pages=Pages(len(page), of(day) if visit.query.get(AFTER) else None, onward),
    )


def entry_view(
    visit: Visit,
    book: Book,
    posted: Sequence[Posted],
    numbers: Mapping[int, tuple[int, str]],
    gone: set[tuple[EntryKind, str]],
    refusal: str | None,
) -> EntryView:
    """An entry of the moves ``posted``, in their order; ``refusal`` says why it is not taken back."""
    shown = book_view(visit, book, None)
    first = posted[0]
    is_gone = (first.kind, first.key) in gone
    of_kind, _, of_key = first.key.partition(":")
    return EntryView(
        book=shown,
        kind=first.kind,
        key=first.key,
        kind_text=visit.t(KINDS[first.kind]),
        amount=Money.total((one.move.amount for one in posted), book.currency),
        at=first.at,
        booked_on=first.booked_on,
        value_date=_value_date(first),
        order=_order_link(visit, first, numbers),
        memo=first.memo,
        legs=[_leg_row(visit, shown, one) for one in posted],
        reversal=entry_address(shown.path, EntryKind.REVERSAL, f"{first.kind}:{first.key}")
        if is_gone
        else None,
        reverses=entry_address(shown.path, of_kind, of_key)
        if first.kind is EntryKind.REVERSAL
        else None,
        may_take_back=shown.may_book and not is_gone and first.kind is not EntryKind.REVERSAL,
        address=entry_address(shown.path, first.kind, first.key),
        refusal=refusal,
    )


def entry_address(path: str, kind: str, key: str) -> str:
    """Where an entry is shown whole."""
    return with_query(f"{path}/entry", {"kind": kind, "key": key})


def _posted_row(
    visit: Visit,
    book: BookView,
    account: Account,
    posted: Posted,
    numbers: Mapping[int, tuple[int, str]],
    gone: set[tuple[EntryKind, str]],
) -> PostedRow:
    move = posted.move
    is_debit = move.debit is account
    other = move.credit if is_debit else move.debit
    return PostedRow(
        id=posted.id,
        address=entry_address(book.path, posted.kind, posted.key),
        kind=visit.t(KINDS[posted.kind]),
        at=posted.at,
        value_date=_value_date(posted),
        order=_order_link(visit, posted, numbers),
        other=visit.t(ACCOUNTS[other]),
        other_address=_day_address(book, other, posted.booked_on),
        debit=move.amount if is_debit else None,
        credit=None if is_debit else move.amount,
        memo=posted.memo,
        is_gone=(posted.kind, posted.key) in gone,
    )


def _leg_row(visit: Visit, book: BookView, posted: Posted) -> LegRow:
    move, day = posted.move, posted.booked_on
    return LegRow(
        debit=visit.t(ACCOUNTS[move.debit]),
        debit_address=_day_address(book, move.debit, day),
        credit=visit.t(ACCOUNTS[move.credit]),
        credit_address=_day_address(book, move.credit, day),
        amount=move.amount,
    )


def _day_address(book: BookView, account: Account, day: date) -> str:
    return with_query(f"{book.path}/{account}", {"day": day.isoformat()})


def _value_date(posted: Posted) -> date | None:
    day = business_day(posted.at)
    return None if day == posted.booked_on else day


def _order_link(
    visit: Visit, posted: Posted, numbers: Mapping[int, tuple[int, str]]
) -> OrderLink | None:
    """Several merchants share an account: nobody learns of orders of one they do not work for."""
    if posted.order_id is None or posted.order_id not in numbers:
        return None
    merchant_id, number = numbers[posted.order_id]
    slug = next((one.slug for one in visit.merchants if one.id == merchant_id), None)
    return None if slug is None else OrderLink(f"{visit.base}/m/{slug}/orders/{number}", number)
