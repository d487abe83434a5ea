"""What the trial balance and the pages of accounts show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from daozhang.clock import business_day
from daozhang.console.ledger.names import ACCOUNTS, GROUPS
from daozhang.console.ledger.spans import Span, month_of
from daozhang.console.paging import with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.ledger.model import Account, Balance, Book, Payout, TrialBalance
from daozhang.service.ledger.reading import estimated_fee
from daozhang.service.people.model import Right

_PPM_IN_A_HUNDREDTH: Final = 100

PAYOUTS: Final[Mapping[Payout, str]] = {
    Payout.AT_ONCE: word("Paid out at once"),
    Payout.LATER: word("Paid out later"),
}

Tabs = Sequence[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class Amounts:
    """A line of a trial balance: debits are above zero."""

    opening: Money
    debits: Money
    credits: Money
    closing: Money

    @property
    def stamp(self) -> str:
        """What is another when the line is."""
        return f"{self.opening} {self.debits} {self.credits}"

    @property
    def are_nothing(self) -> bool:
        """Whether there is nothing in the line."""
        return not (self.opening or self.debits or self.credits)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account in a trial balance, and where its postings are."""

    account: Account
    name: str
    address: str
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class GroupRows:
    """A group of accounts, with what they come to together."""

    name: str
    rows: Sequence[AccountRow]
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class BookView:
    """Whose book it is, and how far it is closed and complete."""

    path: str
    seller_id: str
    currency: str
    locked_through: date | None
    backfilling_until: datetime | None
    payout: str
    fee_rate: str
    may_book: bool
    may_set: bool


@dataclass(frozen=True, slots=True)
class TrialBalanceView:
    """The trial balance of some days."""

    book: BookView
    here: str
    tabs: Tabs
    span: Span
    groups: Sequence[GroupRows]
    sums: Amounts
    is_empty: bool
    estimated_fee: Money
    fee_rate: str


@dataclass(frozen=True, slots=True)
class HeldRow:
    """What an account held at a moment."""

    account: Account
    name: str
    address: str
    held: Money


@dataclass(frozen=True, slots=True)
class MomentView:
    """What all accounts held at a moment."""

    book: BookView
    here: str
    tabs: Tabs
    at: datetime
    at_text: str
    groups: Sequence[tuple[str, Sequence[HeldRow], Money]]
    sum: Money
    is_empty: bool


@dataclass(frozen=True, slots=True)
class DayRow:
    """A day on which something was posted to an account."""

    day: date
    address: str
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account over some days."""

    book: BookView
    here: str
    path: str
    account: Account
    name: str
    span: Span
    amounts: Amounts
    rows: Sequence[DayRow]


def book_view(visit: Visit, book: Book, backfilling_until: datetime | None) -> BookView:
    """What is said of the book on each page."""
    return BookView(
        path=f"{visit.home}/ledger",
        seller_id=book.seller_id,
        currency=book.currency,
        locked_through=book.locked_through,
        backfilling_until=backfilling_until,
        payout=payout_text(visit, book),
        fee_rate=percent_text(book.fee_ppm),
        may_book=visit.may(Right.LEDGER_BOOK),
        may_set=visit.may(Right.MERCHANTS_WRITE),
    )


def payout_text(visit: Visit, book: Book) -> str:
    """When the account is paid out: at once, or after how many working days."""
    text = visit.t(PAYOUTS[book.payout])
    return f"{text} (T+{book.payout_days})" if book.payout is Payout.LATER else text


def trial_balance_view(visit: Visit, span: Span, found: TrialBalance) -> TrialBalanceView:
    """The trial balance of ``span``, in groups."""
    book = book_view(visit, found.book, found.backfilling_until)
    of = {one.account: one for one in found.accounts}
    groups = [
        GroupRows(
            name=visit.t(name),
            rows=[
                AccountRow(
                    account,
                    visit.t(ACCOUNTS[account]),
                    with_query(f"{book.path}/{account}", span.query),
                    amounts_of([of[account]], book.currency),
                )
                for account in accounts
            ],
            amounts=amounts_of([of[account] for account in accounts], book.currency),
        )
        for name, accounts in GROUPS
    ]
    today = business_day(visit.context.clock.now())
    return TrialBalanceView(
        book=book,
        here=visit.address,
        tabs=_tabs(visit, book.path, span, today),
        span=span,
        groups=groups,
        sums=amounts_of(found.accounts, book.currency),
        is_empty=not any(one.opening or one.debits or one.credits for one in found.accounts),
        estimated_fee=estimated_fee(found),
        fee_rate=percent_text(found.book.fee_ppm),
    )


def moment_view(
    visit: Visit,
    book: Book,
    at: datetime,
    held: Mapping[Account, int],
    backfilling_until: datetime | None,
) -> MomentView:
    """What all accounts held, in groups."""
    shown = book_view(visit, book, backfilling_until)
    day = business_day(at)

    def row(account: Account) -> HeldRow:
        address = with_query(f"{shown.path}/{account}", {"day": day.isoformat()})
        name = visit.t(ACCOUNTS[account])
        return HeldRow(account, name, address, Money(held[account], book.currency))

    return MomentView(
        book=shown,
        here=visit.address,
        tabs=_tabs(visit, shown.path, None, business_day(visit.context.clock.now())),
        at=at,
        at_text=at.astimezone(visit.formats.zone).strftime("%Y-%m-%dT%H:%M"),
        groups=[
            (
                visit.t(name),
                [row(account) for account in accounts],
                Money(sum(held[account] for account in accounts), book.currency),
            )
            for name, accounts in GROUPS
        ],
        sum=Money(sum(held.values()), book.currency),
        is_empty=not any(held.values()),
    )


def account_view(
    visit: Visit,
    book: Book,
    span: Span,
    found: tuple[Balance, Sequence[tuple[date, Balance]]],
    backfilling_until: datetime | None,
) -> AccountView:
    """An account over ``span``, the latest day first."""
    shown = book_view(visit, book, backfilling_until)
    whole, days = found
    path = f"{shown.path}/{whole.account}"
    return AccountView(
        book=shown,
        here=visit.address,
        path=path,
        account=whole.account,
        name=visit.t(ACCOUNTS[whole.account]),
        span=span,
        amounts=amounts_of([whole], book.currency),
        rows=[
            DayRow(
                day,
                with_query(path, {"day": day.isoformat()}),
                amounts_of([balance], book.currency),
            )
            for day, balance in reversed(days)
        ],
    )


def amounts_of(balances: Sequence[Balance], currency: str) -> Amounts:
    """The line of some accounts together."""
    return Amounts(
        opening=Money(sum(one.opening for one in balances), currency),
        debits=Money(sum(one.debits for one in balances), currency),
        credits=Money(sum(one.credits for one in balances), currency),
        closing=Money(sum(one.closing for one in balances), currency),
    )


def _tabs(visit: Visit, path: str, span: Span | None, today: date) -> Tabs:
    """The spans that are asked for most; ``span`` is ``None`` where a moment is shown."""
    spans = (
        (word("This month"), Span(today.replace(day=1), today)),
        (word("Last month"), month_of(today, back=1)),
        (word("Today"), Span(today, today)),
    )
    tabs = [(with_query(path, of.query), visit.t(text), of == span) for text, of in spans]
    return [*tabs, (f"{path}/moment", visit.t("At a moment"), span is None)]


def percent_text(ppm: int) -> str:
    """A rate in per cent: whole numbers only, no more digits than it has."""
    whole, rest = divmod(ppm, _PPM_IN_A_HUNDREDTH * 100)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")
