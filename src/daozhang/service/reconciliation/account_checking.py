"""Whether the account bill of a day and the ledger come out, and what of it a person has to see.

What midnight cuts is off on one day and made good on the next, in whichever order the two are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from daozhang.money import Money
from daozhang.service.bills import store as bills
from daozhang.service.bills.model import Statement, StatementKind
from daozhang.service.db import Tx
from daozhang.service.ledger import store as ledger
from daozhang.service.ledger.model import Account, Book
from daozhang.service.ledger.reading import CURRENCY
from daozhang.service.reconciliation import account_rules as rules
from daozhang.service.reconciliation import store
from daozhang.service.reconciliation.account_items import Item, Items
from daozhang.service.reconciliation.account_rules import AccountCheck, AccountDay
from daozhang.service.reconciliation.model import MismatchClass


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
    return _check(tx, book, day, told_of(tx, statement))


def outcome_of(tx: Tx, statement: Statement, day: AccountDay | None, items: Items) -> Outcome:
    """How the day stands after it was posted."""
    book = ledger.find_book(tx, statement.environment, statement.seller_id, CURRENCY)
    if book is None:
        return Outcome({})
    check = _check(tx, book, statement.first, day)
    before, after = _runs_beside(tx, statement)
    earlier, known = _known_difference(before)
    cut: dict[date, list[str]] = {}
    if earlier is not None and check.makes_good(known):
        cut[earlier] = [store.BALANCE]
    figures: dict[str, Any] = {
        "ledger": {"opening": check.ledger_opening.minor, "closing": check.ledger_closing.minor},
        "difference": check.difference.minor,
        "carried": check.carried.minor,
        "gap": check.gap.minor,
    }
    balance = [] if _was_made_good(after, check) else _balance(check, known, figures)
    if day is None:
        return Outcome(figures, balance, cut=cut)
    figures["bill"] = rules.day_content(day)
    by_kind = ledger.sum_kinds(tx, book.id, statement.first, rules.HELD)
    groups = rules.grouped(day, by_kind)
    figures["groups"] = {
        group.value: {"ours": ours, "theirs": theirs} for group, (ours, theirs) in groups.items()
    }
    swapped = rules.swapped(groups)
    differing = items.telling(groups, swapped)
    figures["items"] = {one.key: one.by for one in differing}
    off = [*balance, *_unknown(day)]
    off += [
        Off(MismatchClass.STATE_DIFFERS, f"group:{group.value}", *groups[group], figures)
        for group in swapped
    ]
    for one in differing:
        if before is not None and _has_the_opposite(before, one):
            cut.setdefault(before[0], []).append(one.key)
        elif after is None or not _has_the_opposite(after, one):
            off.append(_off_of(one))
    agreeing = rules.agreeing(day, groups)
    return Outcome(
        figures,
        off,
        matched_count=sum(one.count for one in agreeing),
        matched_minor=sum(one.net for one in agreeing),
        cut=cut,
    )


def _off_of(one: Item) -> Off:
    evidence = {"group": one.group.value, "number": one.number}
    return Off(one.mismatch, one.key, one.ours, one.theirs, evidence, one.order_id, one.merchant_id)


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


def _check(tx: Tx, book: Book, day: date, told: AccountDay | None) -> AccountCheck:
    return rules.check_of(told, *ledger_holds(tx, book, day), book.currency)


def ledger_holds(tx: Tx, book: Book, day: date) -> tuple[int, int]:
    """What the ledger holds of what the bill calls the balance, before ``day`` and after it."""
    found = ledger.sum_accounts(tx, book.id, day, day)
    held = [found[account] for account in rules.HELD if account in found]
    return sum(one.opening for one in held), sum(one.closing for one in held)


_Beside = tuple[date, Mapping[str, Any]]
"""The day beside another, and the figures of its last run."""


def _runs_beside(tx: Tx, statement: Statement) -> tuple[_Beside | None, _Beside | None]:
    """The last day before that was looked at, and the next one if it was."""
    following = statement.first + timedelta(days=1)
    found = (
        bills.find_before(tx, statement),
        find_account_bill(tx, statement.environment, statement.seller_id, following.isoformat()),
    )
    before, after = (
        None if one is None or (run := store.last_run(tx, one.id)) is None else (one.first, run.figures)
        for one in found
    )  # fmt: skip
    return before, after


def _has_the_opposite(beside: _Beside, one: Item) -> bool:
    """Whether the day beside has what this one lacks: midnight lies between bill and books."""
    return beside[1].get("items", {}).get(one.key) == -one.by


def _known_difference(before: _Beside | None) -> tuple[date | None, Money]:
    """The day before, and by how much the ledger was above the bill at its end."""
    if before is None:
        return None, Money(0)
    day, figures = before
    return day, Money(int(figures.get("difference", 0)))


def _was_made_good(after: _Beside | None, check: AccountCheck) -> bool:
    """Whether the next day has been read already, and has what this one is off by."""
    if after is None or not check.difference:
        return False
    carried, difference = (after[1].get(name) for name in ("carried", "difference"))
    return (carried, difference) == (check.difference.minor, 0)


def told_of(tx: Tx, statement: Statement) -> AccountDay | None:
    """What the last run has kept of a bill; ``None`` if there is none, or the bill had no lines."""
    run = store.last_run(tx, statement.id)
    told = None if run is None else run.figures.get("bill")
    return None if told is None else rules.day_from(told)


def find_account_bill(tx: Tx, environment: str, seller_id: str, period: str) -> Statement | None:
    return bills.find_statement(tx, environment, seller_id, StatementKind.ACCOUNT.value, period)
