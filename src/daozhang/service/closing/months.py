"""The months of an account: how they stand, and closing one, which takes two people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from daozhang.clock import business_day
from daozhang.service.audit.actions import record
from daozhang.service.bills import store as bills
from daozhang.service.bills.model import Statement, StatementFile, StatementKind, StatementStatus
from daozhang.service.closing import rules, store
from daozhang.service.closing.days import days_of
from daozhang.service.closing.model import DayLine, MonthBill, MonthClosing, MonthSheet, SideSum
from daozhang.service.closing.refusals import (
    CaseReasonMissing,
    MonthNeedsAnother,
    MonthNotClosable,
    MonthNotProposed,
    MonthProposed,
)
from daozhang.service.closing.rules import SETTLED_STATEMENTS
from daozhang.service.db import Tx
from daozhang.service.ledger.locking import require_locked
from daozhang.service.ledger.reading import book_of, read_trial_balance
from daozhang.service.merchants.model import Merchant
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.reconciliation.actions import turn_of
from daozhang.service.web.context import Context

NOTE_CHARACTERS_MAX: Final = 256


def read_month(context: Context, actor: Person, merchant: Merchant, month: date) -> MonthSheet:
    """The month that begins ``month``, whole."""
    require(actor, Right.LEDGER_READ, merchant.id)
    with context.database.read() as tx:
        return month_of_account(tx, merchant, month, context.clock.now())


def month_of_account(tx: Tx, merchant: Merchant, month: date, now: datetime) -> MonthSheet:
    """The month that begins ``month``, whoever looks at it."""
    where = (merchant.environment, merchant.seller_id)
    last = rules.last_of_month(month)
    ever_first, _ = store.closed_span(tx, *where)
    first = month if ever_first is None else min(max(month, ever_first), last)
    days = days_of(tx, merchant, first, last, business_day(now))
    found = _bills(tx, merchant, month, last)
    closing = store.find_month(tx, *where, month)
    obstacles = ()
    if closing is None or not closing.is_closed:
        last_month = store.last_closed_month(tx, *where)
        earlier = None if last_month is None else rules.first_of_next_month(last_month)
        obstacles = rules.month_obstacles(
            [line.day for line in days if line.closing is None],
            sum(line.open_count for line in days),
            found,
            earlier_open=earlier if earlier is not None and earlier < month else None,
        )
    return MonthSheet(month, first, last, days, found, closing, obstacles)


def propose_month(
    context: Context, actor: Person, merchant: Merchant, month: date, note: str | None = None
) -> MonthClosing:
    """Proposes to close the month that begins ``month``; a second person has to agree.

    Raises `MonthNotClosable` and `MonthProposed`.
    """
    require(actor, Right.LEDGER_BOOK, merchant.id)
    now = context.clock.now()
    where = (merchant.environment, merchant.seller_id)
    with context.database.begin() as tx:
        sheet = month_of_account(tx, merchant, month, now)
        if sheet.closing is not None:
            raise MonthProposed(month)
        if sheet.obstacles:
            raise MonthNotClosable(month, sheet.obstacles)
        proposal: dict[str, Any] = {
            "environment": merchant.environment,
            "seller_id": merchant.seller_id,
            "month": month,
            "proposed_by": str(actor.actor),
            "proposed_name": actor.name,
            "proposed_at": now,
            "note": note,
            "figures": {},
        }
        if not store.insert_month(tx, proposal):
            raise MonthProposed(month)
        _record(tx, actor, merchant, month, "month.proposed", now, note=note)
        found = store.find_month(tx, *where, month)
    assert found is not None
    return found


def agree_month(context: Context, actor: Person, merchant: Merchant, month: date) -> MonthClosing:
    """Closes a month that somebody else has proposed, with its figures. It is never opened again.

    Waits for a bill of the account that is being read. Raises `MonthNotProposed`, `MonthNeedsAnother`, and `MonthNotClosable` if something has come
    between since.
    """
    require(actor, Right.LEDGER_LOCK, merchant.id)
    now = context.clock.now()
    where = (merchant.environment, merchant.seller_id)
    with turn_of(context.database, *where), context.database.begin() as tx:
        proposal = store.find_month(tx, *where, month, lock=True)
        if proposal is None or proposal.is_closed:
            raise MonthNotProposed(month)
        if proposal.proposed_by == str(actor.actor):
            raise MonthNeedsAnother
        sheet = month_of_account(tx, merchant, month, now)
        if sheet.obstacles:
            raise MonthNotClosable(month, sheet.obstacles)
        require_locked(book_of(tx, merchant.id), sheet.last)
        store.update_month(
            tx,
            *where,
            month,
            closed_by=str(actor.actor),
            closed_name=actor.name,
            closed_at=now,
            figures=_figures(tx, merchant, sheet),
        )
        _record(tx, actor, merchant, month, "month.closed", now)
        found = store.find_month(tx, *where, month)
    assert found is not None
    return found


def refuse_month(
    context: Context, actor: Person, merchant: Merchant, month: date, reason: str
) -> None:
    """Does not agree, and says why; whoever proposed it takes it back so. Raises `MonthNotProposed`."""
    require(actor, Right.LEDGER_BOOK, merchant.id)
    if not reason.strip():
        raise CaseReasonMissing
    now = context.clock.now()
    where = (merchant.environment, merchant.seller_id)
    with context.database.begin() as tx:
        proposal = store.find_month(tx, *where, month, lock=True)
        if proposal is None or proposal.is_closed:
            raise MonthNotProposed(month)
        store.delete_month(tx, *where, month)
        said = reason.strip()[:NOTE_CHARACTERS_MAX]
        _record(tx, actor, merchant, month, "month.refused", now, reason=said)


# ---- inside


def _bills(tx: Tx, merchant: Merchant, month: date, last: date) -> dict[str, MonthBill]:
    """The month's own bills, each beside what those of its days add up to."""
    period = f"{month:%Y-%m}"
    every = bills.list_statements(
        tx, merchant.environment, merchant.seller_id, period, last.isoformat()
    )
    files = bills.list_files_of(tx, [one.id for one in every])
    found: dict[str, MonthBill] = {}
    for kind in StatementKind:
        of_kind = [one for one in every if one.kind is kind]
        own = next((one for one in of_kind if one.period == period), None)
        if own is not None:
            days = [one for one in of_kind if not one.is_month]
            found[kind.value] = MonthBill(
                own.status, rules.add_up(_totals([own], files)), _days_sum(days, last.day, files)
            )
    return found


def _days_sum(
    days: Sequence[Statement], count: int, files: Mapping[int, Sequence[StatementFile]]
) -> Mapping[str, SideSum] | None:
    settled = [one for one in days if one.status in SETTLED_STATEMENTS]
    if len(settled) < count:
        return None
    return rules.add_up(_totals(settled, files))


def _totals(
    statements: Sequence[Statement], files: Mapping[int, Sequence[StatementFile]]
) -> list[Mapping[str, Any]]:
    """The totals of the files that stand for those statements."""
    return [
        file.totals
        for one in statements
        if one.status is StatementStatus.READY
        for file in files.get(one.id, ())
        if file.id == one.file_id and file.totals is not None
    ]


def _figures(tx: Tx, merchant: Merchant, sheet: MonthSheet) -> dict[str, Any]:
    """What the month is closed with: its days, what agreed in them, and the trial balance, in fen."""
    balance = read_trial_balance(tx, book_of(tx, merchant.id), sheet.first, sheet.last)
    return {
        "first": sheet.first.isoformat(),
        "days": len(sheet.days),
        "matched": _matched(sheet.days),
        "accounts": {
            one.account.value: {
                "opening_minor": one.opening,
                "debits_minor": one.debits,
                "credits_minor": one.credits,
                "closing_minor": one.closing,
            }
            for one in balance.accounts
        },
        "bills": {
            kind: {"status": bill.status.value, "compared": bill.days is not None}
            for kind, bill in sheet.bills.items()
        },
    }


def _matched(days: Sequence[DayLine]) -> dict[str, dict[str, int]]:
    """How many lines of the bills agreed when their days were closed, and over how many fen."""
    sums: dict[str, dict[str, int]] = {}
    for line in days:
        for kind in StatementKind:
            closed: Mapping[str, Any] = {} if line.closing is None else line.closing.figures
            figures: Mapping[str, Any] = closed.get(kind.value) or {}
            one = sums.setdefault(kind.value, {"lines": 0, "matched": 0, "matched_minor": 0})
            for name in one:
                one[name] += int(figures.get(name, 0))
    return sums


def _record(
    tx: Tx, actor: Person, merchant: Merchant, month: date, deed: str, now: datetime, **more: Any
) -> None:
    subject = f"month:{month:%Y-%m}"
    record(tx, actor.actor, deed, subject, now, merchant_id=merchant.id, **more)
