"""Decisions about the account bill: what each type of line is to the ledger, and whether a day comes out. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from daozhang.money import Money
from daozhang.service.bills.model import Statement
from daozhang.service.ledger.model import Account, Entry, EntryKind, Legs, Move, Posted
from daozhang.service.ledger.rules import legs_of, moves_of

HELD: Final = (Account.AVAILABLE, Account.FROZEN)
"""What the account bill calls the balance: what can be spent, and what is frozen."""

BUSINESS_CHARACTERS_MAX: Final = 64
"""So much of a type's name is looked at: it becomes part of a key."""


class Group(StrEnum):
    """What posts by itself when it is proved, and is only compared here."""

    TRADES = "trades"
    SHARES = "shares"
    TRANSFERS = "transfers"


@dataclass(frozen=True, slots=True)
class AccountSum:
    """What the lines of one type come to. ``is_foreign``: of another system's orders, as a rule says."""

    business: str
    is_foreign: bool
    count: int
    income: int
    outgo: int

    @property
    def net(self) -> int:
        """What they add to the account."""
        return self.income - self.outgo

    def plus(self, other: AccountSum) -> AccountSum:
        """Both together, whoever's they are."""
        return AccountSum(
            self.business,
            self.is_foreign and other.is_foreign,
            self.count + other.count,
            self.income + other.income,
            self.outgo + other.outgo,
        )


@dataclass(frozen=True, slots=True)
class AccountDay:
    """What an account bill says of its day. ``opening`` is what was there before its first line, and
    ``closing`` what it states after the last."""

    opening: int
    closing: int
    sums: Sequence[AccountSum]

    @property
    def income(self) -> int:
        """All that came in."""
        return sum(one.income for one in self.sums)

    @property
    def outgo(self) -> int:
        """All that went out."""
        return sum(one.outgo for one in self.sums)


QUIET: Final = AccountDay(0, 0, ())
"""A day of which the bill has no lines."""

GROUP_OF_TYPE: Final[Mapping[str, Group]] = {
    "交易付款": Group.TRADES,
    "在线支付": Group.TRADES,
    "交易退款": Group.TRADES,
    "分账": Group.SHARES,
    "分账退回": Group.SHARES,
    "转账": Group.TRANSFERS,
    "转账退回": Group.TRANSFERS,
}

GROUP_OF_KIND: Final[Mapping[EntryKind, Group]] = {
    EntryKind.PAYMENT: Group.TRADES,
    EntryKind.REFUND: Group.TRADES,
    EntryKind.SETTLEMENT: Group.TRADES,
    EntryKind.SHARE: Group.SHARES,
    EntryKind.SHARE_RETURN: Group.SHARES,
    EntryKind.TRANSFER: Group.TRANSFERS,
    EntryKind.TRANSFER_RETURN: Group.TRANSFERS,
}

POSTED_TYPES: Final[Mapping[str, tuple[EntryKind, Account]]] = {
    "收费": (EntryKind.FEE, Account.FEE),
    "退费": (EntryKind.FEE_RETURN, Account.FEE),
    "提现": (EntryKind.WITHDRAWAL, Account.WITHDRAWAL_IN_TRANSIT),
    "提现退回": (EntryKind.WITHDRAWAL, Account.WITHDRAWAL_IN_TRANSIT),
    "充值": (EntryKind.TOP_UP, Account.BANK),
}
"""Of what only the account bill tells: the entry, and the account beyond the one that the bill is of."""

WITHIN_TYPES: Final = frozenset({"冻结", "解冻", "结算"})
"""They move money within the account, and leave its balance."""

BILL_KINDS: Final = (
    EntryKind.FEE,
    EntryKind.FEE_RETURN,
    EntryKind.WITHDRAWAL,
    EntryKind.TOP_UP,
    EntryKind.OTHER,
)
"""Kinds of entries that nothing but the account bill posts."""

FOREIGN: Final = "foreign"


def is_unknown(one: AccountSum) -> bool:
    """Whether nobody knows what lines of that type are: their money waits for a person."""
    known = one.business in GROUP_OF_TYPE or one.business in POSTED_TYPES
    return not known and one.business not in WITHIN_TYPES


def entries_of(statement: Statement, day: AccountDay, currency: str) -> tuple[Entry, ...]:
    """What the account bill of a day posts: one entry for each kind and type, over all its lines."""
    minor: defaultdict[tuple[EntryKind, Account, str], int] = defaultdict(int)
    for one in day.sums:
        if one.business in POSTED_TYPES:
            kind, beyond = POSTED_TYPES[one.business]
            minor[kind, beyond, one.business] += one.net
        elif is_unknown(one):
            minor[EntryKind.OTHER, Account.SUSPENSE, one.business] += one.net
        elif one.is_foreign and one.business in GROUP_OF_TYPE:
            minor[EntryKind.OTHER, Account.OTHER, FOREIGN] += one.net
    return tuple(
        Entry(
            environment=statement.environment,
            seller_id=statement.seller_id,
            kind=kind,
            key=f"{statement.period}:{name}",
            at=last_moment(statement.until),
            moves=moves_of({Account.AVAILABLE: net, beyond: -net}, currency),
        )
        for (kind, beyond, name), net in sorted(minor.items())
        if net
    )


def opening_of(statement: Statement, minor: int, currency: str) -> Entry:
    """What was in the account before the first of its bills, and no entry tells of."""
    return Entry(
        environment=statement.environment,
        seller_id=statement.seller_id,
        kind=EntryKind.OPENING,
        key=statement.period,
        at=last_moment(statement.since),
        moves=moves_of({Account.AVAILABLE: minor, Account.OPENING: -minor}, currency),
    )


def last_moment(until: datetime) -> datetime:
    """The last moment of what is over ``until`` then: by it, all of a day has happened."""
    return until - timedelta(seconds=1)


SETTLED: Final = (EntryKind.PAYMENT, EntryKind.REFUND, EntryKind.SHARE)
"""What is listed when it is paid out, where that is later. What receivers give back is there at once, and
says nothing of a payout."""

SETTLED_TYPES: Final = ("交易付款", "在线支付", "交易退款", "分账")


def settled_minor(listed: int, day: date, there: Sequence[Posted]) -> int:
    """What a day's settlement moves of an order whose payment was not paid out at first: what the bill
    lists of it, less what the books themselves moved that day.

    ``there`` is all else that is posted of the order. All settlements together move no more than was paid,
    whichever way: a payment that was shared and refunded whole is paid out below zero.
    """
    payment = [one for one in there if one.kind is EntryKind.PAYMENT]
    before = [one for one in there if one.kind is EntryKind.SETTLEMENT]
    own = [one for one in there if one.kind in SETTLED and one.booked_on == day]
    paid, settled = _legs(payment).get(Account.UNSETTLED, 0), held(_legs(before))
    return max(min(listed - held(_legs(own)), paid - settled), -paid - settled)


def _legs(posted: Iterable[Posted]) -> Legs:
    return legs_of(one.move for one in posted)


def settlement_moves(minor: int, currency: str) -> tuple[Move, ...]:
    """``minor`` paid out, or come back if below zero."""
    return moves_of({Account.AVAILABLE: minor, Account.UNSETTLED: -minor}, currency)


def held(legs: Legs) -> int:
    """What ``legs`` do to the balance."""
    return sum(legs.get(account, 0) for account in HELD)


Groups = Mapping[Group, tuple[int, int]]
"""What the books and the bill say of each group: ours first."""


def grouped(day: AccountDay, by_kind: Mapping[EntryKind, int], *, pays_out: bool) -> Groups:
    """What the books and the bill say. Where Alipay ``pays_out`` later, a settlement moves trades and
    their shares as one: shares have no group of their own."""
    ours: defaultdict[Group, int] = defaultdict(int)
    theirs: defaultdict[Group, int] = defaultdict(int)
    for kind, minor in by_kind.items():
        if kind in GROUP_OF_KIND:
            ours[GROUP_OF_KIND[kind]] += minor
    for one in day.sums:
        if one.business in GROUP_OF_TYPE and not one.is_foreign:
            theirs[GROUP_OF_TYPE[one.business]] += one.net
    if pays_out:
        for sums in (ours, theirs):
            sums[Group.TRADES] += sums.pop(Group.SHARES, 0)
    shown = [group for group in Group if not (pays_out and group is Group.SHARES)]
    return {group: (ours[group], theirs[group]) for group in shown}


def swapped(groups: Groups) -> list[Group]:
    """Groups that differ though together they agree: a line has the type of another group."""
    off = {group: theirs - ours for group, (ours, theirs) in groups.items() if theirs != ours}
    return [] if sum(off.values()) else sorted(off)


def agreeing(day: AccountDay, groups: Groups) -> list[AccountSum]:
    """What of the bill is as the books have it, or has just been posted from it."""

    def agrees(group: Group) -> bool:
        ours, theirs = groups.get(group, groups[Group.TRADES])
        return ours == theirs

    return [
        one
        for one in day.sums
        if one.business not in GROUP_OF_TYPE
        or one.is_foreign
        or agrees(GROUP_OF_TYPE[one.business])
    ]


def unknown_types(day: AccountDay) -> list[AccountSum]:
    """The types that nobody knows, each once."""
    found: dict[str, AccountSum] = {}
    for one in day.sums:
        if is_unknown(one):
            same = found.get(one.business)
            found[one.business] = one if same is None else same.plus(one)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class AccountCheck:
    """An account bill against the ledger: what was there, what came and went, what is there.

    ``stated_closing`` is the balance after the bill's last line, ``None`` where Alipay says that
    nothing happened; what the ledger holds beside it is what can be spent and what is frozen.
    """

    opening: Money
    income: Money
    outgo: Money
    stated_closing: Money | None
    ledger_opening: Money
    ledger_closing: Money

    @property
    def closing(self) -> Money:
        """What the flows lead to."""
        return self.opening + self.income - self.outgo

    @property
    def gap(self) -> Money:
        """What the bill's own lines lack to lead to its own balance."""
        return Money(0) if self.stated_closing is None else self.stated_closing - self.closing

    @property
    def difference(self) -> Money:
        """By how much the ledger is above the bill when the day is over."""
        return self.ledger_closing - self.ends

    @property
    def carried(self) -> Money:
        """By how much it was when the day began: some earlier day's affair."""
        return self.ledger_opening - self.opening

    @property
    def of_the_day(self) -> Money:
        """What of the difference this day has brought."""
        return self.difference - self.carried

    @property
    def agrees(self) -> bool:
        """Whether opening and flows make the closing, and the ledger holds it."""
        return not self.gap and not self.difference

    @property
    def ends(self) -> Money:
        """What the bill says is there when the day is over."""
        return self.closing if self.stated_closing is None else self.stated_closing

    def off_by(self, known: Money) -> Money:
        """By how much the books are above what they should be, where the last day with a bill ended with
        ``known``: what the day brought, or what nobody has seen come. A day that ends right is off only
        by what the bill's own lines are above its balance."""
        return (self.difference and (self.of_the_day or self.carried - known)) or -self.gap

    def makes_good(self, known: Money) -> bool:
        """Whether what the last day was off by is here: midnight has cut it."""
        return bool(known) and self.carried == known and not self.difference


def check_of(
    day: AccountDay | None,
    ledger_opening: int,
    ledger_closing: int,
    currency: str,
    *,
    ended_with: int | None = None,
) -> AccountCheck:
    """The figures of a day; without a bill, nothing came and nothing went of what the day before it
    ``ended_with`` (of what the ledger held, if no bill tells)."""
    before = ledger_opening if ended_with is None else ended_with

    def money(minor: int) -> Money:
        return Money(minor, currency)

    return AccountCheck(
        opening=money(before if day is None else day.opening),
        income=money(0 if day is None else day.income),
        outgo=money(0 if day is None else day.outgo),
        stated_closing=None if day is None else money(day.closing),
        ledger_opening=money(ledger_opening),
        ledger_closing=money(ledger_closing),
    )


def day_content(day: AccountDay) -> dict[str, Any]:
    """What a bill says, as a run keeps it."""
    return {
        "opening": day.opening,
        "closing": day.closing,
        "sums": [
            {
                "business": one.business,
                "is_foreign": one.is_foreign,
                "count": one.count,
                "income": one.income,
                "outgo": one.outgo,
            }
            for one in day.sums
        ],
    }


def day_from(content: Mapping[str, Any]) -> AccountDay:
    """What a run has kept of a bill."""
    return AccountDay(
        content["opening"], content["closing"], [AccountSum(**one) for one in content["sums"]]
    )
