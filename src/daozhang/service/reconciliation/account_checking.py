"""Whether the account bill of a day and the ledger come out, and what of it a person has to see.

What midnight cuts is off on one day and made good on the next, in whichever order the two are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from daozhang.money import Money
from daozhang.service.bills import store as bills
from daozhang.service.bills.model import Statement, StatementKind
from daozhang.service.db import Tx
from daozhang.service.ledger import store as ledger
from daozhang.service.ledger.model import Account, Book, EntryKind
from daozhang.service.ledger.reading import CURRENCY
from daozhang.service.reconciliation import account_rules as rules
from daozhang.service.reconciliation import store
from daozhang.service.reconciliation.account_items import Item, Items
from daozhang.service.reconciliation.account_rules import AccountCheck, AccountDay, Group
from daozhang.service.reconciliation.model import MismatchClass, Run

DAYS_AROUND: Final = timedelta(days=62)
"""So far apart what one day lacks and another has belongs together."""


@dataclass(frozen=True, slots=True)
class Off:
    """Something about the account of a day that a person has to see."""

    mismatch: MismatchClass
    key: str
    ours: int | None
    theirs: int | None
    evidence: Mapping[str, Any]
    order_id: int | None = None
    merchant_id: int | None = None
    out_trade_no: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a day stands, for its run: figures, what is off, and how many lines over how much agree.
    ``cut``: what earlier days were off by, and stands here."""

    figures: Mapping[str, Any]
    off: Sequence[Off] = ()
    matched_count: int = 0
    matched_minor: int = 0
    cut: Mapping[date, Sequence[str]] = field(default_factory=dict[date, Sequence[str]])


def check_of_day(tx: Tx, environment: str, seller_id: str, day: date) -> AccountCheck | None:
    """How the account bill of a day and the ledger stand to one another now; ``None`` if no account
    bill of it has been read."""
    statement = find_account_bill(tx, environment, seller_id, day.isoformat())
    book = ledger.find_book(tx, environment, seller_id, CURRENCY)
    if statement is None or book is None or store.last_run(tx, statement.id) is None:
        return None
    return _check(tx, book, statement, told_of(tx, statement))


def moved_since(tx: Tx, statement: Statement) -> tuple[int, int] | None:
    """By how many fen the ledger holds more before the day, and after it, than when it was looked at last;
    ``None`` if it never was."""
    run = store.last_run(tx, statement.id)
    book = ledger.find_book(tx, statement.environment, statement.seller_id, CURRENCY)
    if run is None or book is None or "ledger" not in run.figures:
        return None
    opening, closing = _held(tx, book, statement.first, told_of(tx, statement))
    then = run.figures["ledger"]
    return opening - then["opening"], closing - then["closing"]


def items_kept(run: Run) -> Items:
    """What a run found of shares and transfers: it holds as long as the day's own entries are the same."""
    kept = [Item(**one | {"group": Group(one["group"])}) for one in run.figures.get("items", ())]
    return Items(kept, {one.group: 1 for one in kept})


def outcome_of(tx: Tx, statement: Statement, day: AccountDay | None, items: Items) -> Outcome:
    """How the day stands after it was posted."""
    book = ledger.find_book(tx, statement.environment, statement.seller_id, CURRENCY)
    if book is None:
        return Outcome({})
    check = _check(tx, book, statement, day)
    before = _looked_at_before(tx, statement)
    known = Money(0 if before is None else _figure(before[1], "difference"))
    cut: dict[date, list[str]] = {}
    if check.makes_good(known):
        cut = {earlier: [store.BALANCE] for earlier in _made_good(tx, before)}
    figures: dict[str, Any] = {
        "ledger": {"opening": check.ledger_opening.minor, "closing": check.ledger_closing.minor},
        "difference": check.difference.minor,
        "carried": check.carried.minor,
        "gap": check.gap.minor,
    }
    off = [] if _was_made_good(tx, statement, check) else _balance(check, known, figures)
    by_kind = ledger.sum_kinds(tx, book.id, statement.first, rules.HELD)
    pays_out = pays_out_later(tx, book, statement.first)
    groups = rules.grouped(day or rules.QUIET, by_kind, pays_out=pays_out)
    swapped: list[Group] = []
    if day is not None:
        figures["bill"] = rules.day_content(day)
        figures["groups"] = {
            group.value: {"ours": ours, "theirs": theirs}
            for group, (ours, theirs) in groups.items()
        }
        swapped = rules.swapped(groups)
        off += [*_unknown(day), *_swapped(groups, swapped, figures)]
    differing = items.telling(groups, swapped)
    figures["items"] = [asdict(one) for one in differing]
    others = _items_around(tx, statement) if differing else {}
    for one in differing:
        there = {on: items[one.key] for on, items in others.items() if one.key in items}
        if not there or sum(there.values()) + one.by:
            off.append(_off_of(one))
            continue
        for other in there:
            if other < statement.first:
                cut.setdefault(other, []).append(one.key)
    agreeing = rules.agreeing(day or rules.QUIET, groups)
    return Outcome(
        figures,
        off,
        matched_count=sum(one.count for one in agreeing),
        matched_minor=sum(one.net for one in agreeing),
        cut=cut,
    )


def _swapped(
    groups: Mapping[Group, tuple[int, int]], swapped: Sequence[Group], evidence: Mapping[str, Any]
) -> list[Off]:
    return [
        Off(MismatchClass.STATE_DIFFERS, f"group:{group.value}", *groups[group], evidence)
        for group in swapped
    ]


def _off_of(one: Item) -> Off:
    return Off(
        one.mismatch,
        one.key,
        one.ours,
        one.theirs,
        {"group": one.group.value, "number": one.number},
        order_id=one.order_id,
        merchant_id=one.merchant_id,
        out_trade_no=one.number if one.group is Group.SHARES else None,
    )


def _balance(check: AccountCheck, known: Money, figures: Mapping[str, Any]) -> list[Off]:
    minor = check.off_by(known).minor
    if not minor:
        return []
    theirs = check.ends.minor
    return [Off(MismatchClass.AMOUNT_DIFFERS, store.BALANCE, theirs + minor, theirs, figures)]


def _unknown(day: AccountDay) -> list[Off]:
    return [
        Off(
            MismatchClass.MISSING_HERE,
            f"type:{one.business}",
            None,
            one.net,
            {"business": one.business, "count": one.count, "posted_to": Account.SUSPENSE.value},
        )
        for one in rules.unknown_types(day)
    ]


def _check(tx: Tx, book: Book, statement: Statement, told: AccountDay | None) -> AccountCheck:
    before = _neighbour(tx, statement, -1) if told is None else None
    ended_with = None
    if before is not None and "ledger" in before[1].figures:
        ended_with = before[1].figures["ledger"]["closing"] - _figure(before[1], "difference")
        ended_with += _opened(tx, book, statement.first)
    held = _held(tx, book, statement.first, told)
    return rules.check_of(told, *held, book.currency, ended_with=ended_with)


def _held(tx: Tx, book: Book, day: date, told: AccountDay | None) -> tuple[int, int]:
    """What the ledger holds before the day and after it."""
    opening, closing = ledger_holds(tx, book, day)
    return opening + (_opened(tx, book, day) if told is None else 0), closing


def _opened(tx: Tx, book: Book, day: date) -> int:
    """With what the book was opened on a day. A quiet one may be the last before the first bill: that was
    there before, and the day did not bring it."""
    return ledger.sum_kinds(tx, book.id, day, rules.HELD).get(EntryKind.OPENING, 0)


def ledger_holds(tx: Tx, book: Book, day: date) -> tuple[int, int]:
    """What the ledger holds of what the bill calls the balance, before ``day`` and after it."""
    found = ledger.sum_accounts(tx, book.id, day, day)
    held = [found[account] for account in rules.HELD if account in found]
    return sum(one.opening for one in held), sum(one.closing for one in held)


def pays_out_later(tx: Tx, book: Book, day: date) -> bool:
    """Whether the book has, or had, payments that Alipay pays out later."""
    return Account.UNSETTLED in ledger.sum_accounts(tx, book.id, day, day)


Looked = tuple[Statement, Run]
"""A day's account bill, and its last run."""


def _neighbour(tx: Tx, statement: Statement, days: int) -> Looked | None:
    """The account bill so many days on, or before, if it was looked at."""
    period = (statement.first + timedelta(days=days)).isoformat()
    found = find_account_bill(tx, statement.environment, statement.seller_id, period)
    run = None if found is None else store.last_run(tx, found.id)
    return None if found is None or run is None else (found, run)


def _looked_at_before(tx: Tx, statement: Statement) -> Looked | None:
    """The last day before that was looked at."""
    if (yesterday := _neighbour(tx, statement, -1)) is not None:
        return yesterday
    earlier = bills.find_before(tx, statement)
    run = None if earlier is None else store.last_run(tx, earlier.id)
    return None if earlier is None or run is None else (earlier, run)


def _figure(run: Run, name: str) -> int:
    return int(run.figures.get(name, 0))


def _items_around(tx: Tx, statement: Statement) -> dict[date, dict[str, int]]:
    """What the days around it lack of shares and transfers, oldest first. Days that come to nothing together
    are no difference: midnight lay between, or a bank sent it back and nobody told us of which day."""
    around = [statement.first + sign * DAYS_AROUND for sign in (-1, 1)]
    where = (statement.environment, statement.seller_id)
    found: dict[date, dict[str, int]] = {}
    for other in bills.list_statements(tx, *where, *(day.isoformat() for day in around)):
        is_day = other.kind is StatementKind.ACCOUNT and not other.is_month
        run = store.last_run(tx, other.id) if is_day and other.id != statement.id else None
        if run is not None:
            found[other.first] = {one.key: one.by for one in items_kept(run).off}
    return dict(sorted(found.items()))


def _made_good(tx: Tx, last: Looked | None) -> list[date]:
    """The last day that was off, and those before it, as far as the account has not come out since: each
    began with what the one before had ended with."""
    days: list[date] = []
    while last is not None:
        statement, run = last
        days.append(statement.first)
        carried = _figure(run, "carried")
        before = _neighbour(tx, statement, -1) if carried else None
        fits = before is not None and _figure(before[1], "difference") == carried
        last = before if fits else None
    return days


def _was_made_good(tx: Tx, statement: Statement, check: AccountCheck) -> bool:
    """Whether days after it have been read already, and one of them made good what this one is off by."""
    difference, days = check.difference.minor, 0
    while difference:
        days += 1
        following = _neighbour(tx, statement, days)
        if following is None or _figure(following[1], "carried") != difference:
            return False
        difference = _figure(following[1], "difference")
    return days > 0


def told_of(tx: Tx, statement: Statement) -> AccountDay | None:
    """What the last run has kept of a bill; ``None`` if there is none, or the bill had no lines."""
    run = store.last_run(tx, statement.id)
    told = None if run is None else run.figures.get("bill")
    return None if told is None else rules.day_from(told)


def find_account_bill(tx: Tx, environment: str, seller_id: str, period: str) -> Statement | None:
    return bills.find_statement(tx, environment, seller_id, StatementKind.ACCOUNT.value, period)
