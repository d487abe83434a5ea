"""The days of an account: how they stand, and closing one."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from daozhang.clock import business_day
from daozhang.service.audit.actions import record
from daozhang.service.bills import store as bills
from daozhang.service.bills.model import Statement, StatementKind
from daozhang.service.closing import rules, store
from daozhang.service.closing.model import Case, Closing, DayLine, DaySheet, Obstacle
from daozhang.service.closing.refusals import DayClosed, DayNotClosable
from daozhang.service.db import Tx
from daozhang.service.ledger import store as ledger
from daozhang.service.ledger.locking import lock_day
from daozhang.service.ledger.reading import CURRENCY, book_of
from daozhang.service.merchants.model import Merchant
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.reconciliation import store as reconciliation
from daozhang.service.reconciliation.actions import turn_of
from daozhang.service.web.context import Context


def read_days(
    context: Context, actor: Person, merchant: Merchant, first: date, last: date
) -> list[DayLine]:
    """Every day from ``first`` to ``last``, as the calendar shows it."""
    require(actor, Right.LEDGER_READ, merchant.id)
    today = business_day(context.clock.now())
    with context.database.read() as tx:
        return days_of(tx, merchant, first, last, today)


def days_of(tx: Tx, merchant: Merchant, first: date, last: date, today: date) -> list[DayLine]:
    """Every day from ``first`` to ``last``, whoever looks at it."""
    where = (merchant.environment, merchant.seller_id)
    expected = bills.list_statements(tx, *where, first.isoformat(), last.isoformat())
    counts = reconciliation.open_counts(tx, *where, first, last)
    closed = store.list_closed(tx, *where, first, last)
    statements = {(one.period, one.kind): one for one in expected}
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [
        DayLine(
            day=day,
            colour=rules.colour_of(
                [
                    None if one is None else one.status
                    for kind in StatementKind
                    for one in [statements.get((day.isoformat(), kind))]
                ],
                counts.get(day, {}),
                is_closed=day in closed,
                is_over=day < today,
            ),
            open_counts=counts.get(day, {}),
            closing=closed.get(day),
        )
        for day in days
    ]


def read_day(context: Context, actor: Person, merchant: Merchant, day: date) -> DaySheet:
    """A day, whole."""
    (line,) = read_days(context, actor, merchant, day, day)
    with context.database.read() as tx:
        statements = _statements(tx, merchant, day)
        runs = {
            kind: None if one is None else reconciliation.last_run(tx, one.id)
            for kind, one in statements.items()
        }
        found = () if line.closing is not None else _obstacles(tx, merchant, line)
    return DaySheet(line, statements, runs, found)


def list_day_cases(
    context: Context,
    actor: Person,
    merchant: Merchant,
    day: date | None,
    *,
    is_open: bool | None = None,
    before_id: int | None = None,
    rows_max: int = 50,
) -> list[Case]:
    """The cases of a day, or of all days, newest first."""
    require(actor, Right.LEDGER_READ, merchant.id)
    with context.database.read() as tx:
        found = reconciliation.list_mismatches(
            tx,
            merchant.environment,
            merchant.seller_id,
            day=day,
            is_open=is_open,
            before_id=before_id,
            rows_max=rows_max,
        )
        return store.list_cases(tx, found)


def close_day(
    context: Context, actor: Person, merchant: Merchant, day: date, note: str | None = None
) -> Closing:
    """Closes a day: its cases are settled, its bills read, and nothing is posted to it any more.

    Waits for a bill of the account that is being read. Raises `DayNotClosable`, `DayClosed`,
    and what `lock_day` raises.
    """
    require(actor, Right.LEDGER_LOCK, merchant.id)
    now = context.clock.now()
    where = (merchant.environment, merchant.seller_id)
    # A bill that is being read may find at its end what stands in the way.
    with turn_of(context.database, *where), context.database.begin() as tx:
        (line,) = days_of(tx, merchant, day, day, business_day(now))
        if line.closing is not None:
            raise DayClosed(day)
        if found := _obstacles(tx, merchant, line):
            raise DayNotClosable(day, found)
        # Not held beside others first: two who do that wait for one another.
        ledger.make_book(tx, *where, CURRENCY)
        lock_day(tx, book_of(tx, merchant.id), day, actor.actor, now, note)
        figures = _figures(tx, merchant, day)
        store.insert_closed(
            tx,
            {
                "environment": merchant.environment,
                "seller_id": merchant.seller_id,
                "day": day,
                "closed_by": str(actor.actor),
                "closed_name": actor.name,
                "closed_at": now,
                "note": note,
                "figures": figures,
            },
        )
        subject = f"day:{day.isoformat()}"
        record(tx, actor.actor, "day.closed", subject, now, merchant_id=merchant.id, note=note)
        return store.list_closed(tx, merchant.environment, merchant.seller_id, day, day)[day]


def _statements(tx: Tx, merchant: Merchant, day: date) -> dict[str, Statement | None]:
    where = (merchant.environment, merchant.seller_id)
    return {
        kind.value: bills.find_statement(tx, *where, kind.value, day.isoformat())
        for kind in StatementKind
    }


def _obstacles(tx: Tx, merchant: Merchant, line: DayLine) -> tuple[Obstacle, ...]:
    statements = _statements(tx, merchant, line.day)
    _, last = store.closed_span(tx, merchant.environment, merchant.seller_id)
    earlier = None if last is None else last + timedelta(days=1)
    return rules.obstacles(
        line.day,
        {kind: None if one is None else one.status for kind, one in statements.items()},
        line.open_counts,
        earlier_open=earlier if earlier is not None and earlier < line.day else None,
    )


def _figures(tx: Tx, merchant: Merchant, day: date) -> dict[str, object]:
    """What the day is closed with: how much agreed, by how many lines, in each bill."""
    figures: dict[str, object] = {}
    for kind, statement in _statements(tx, merchant, day).items():
        run = None if statement is None else reconciliation.last_run(tx, statement.id)
        if run is not None:
            figures[kind] = {
                "lines": run.line_count,
                "matched": run.matched_count,
                "matched_minor": run.matched_minor,
                "counts": dict(run.counts),
                **dict(run.figures),
            }
    return figures


def month_of(text: str | None, now: datetime) -> date:
    """The first day of the month that an address names, of the present one if it names none."""
    return rules.month_named(text or "") or business_day(now).replace(day=1)
