"""Tallies as rows: totals that would be dear to count each time. Never commits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from daozhang.service.db import Json, Moment, Tx, metadata
from daozhang.service.inbox.model import InboxStatus
from daozhang.service.inbox.store import notifications
from daozhang.service.meter import Counts
from daozhang.service.orders.model import OrderStatus
from daozhang.service.orders.store import order_steps
from daozhang.service.progress import BEGINNING, Rows, positions
from daozhang.service.webhooks.store import attempts, deliveries

HOURS_KEPT: Final = 48

TAIL_ROWS_MAX: Final = 200_000
"""How many rows beyond a position are counted where totals are read: minutes of heavy traffic. When
large books are counted for the first time, totals are low until that is done, and nobody waits."""

tallies: Final = sa.Table(
    "watch_tallies",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("label", sa.String(64), primary_key=True),
    sa.Column("hour", Moment, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

alerts: Final = sa.Table(
    "watch_alerts",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("channel", sa.String(16), primary_key=True),
    sa.Column("message", Json, nullable=False),
    sa.Column("raised_at", Moment, nullable=False),
    sa.Column("sent_at", Moment),
    sa.Column("resolved_at", Moment),
    sa.Column("due_at", Moment),
    sa.Column("failures", sa.Integer, nullable=False),
)

rounds: Final = sa.Table(
    "watch_rounds",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("due_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Source(Rows):
    """One whose rows are counted by a label that never changes."""

    label: sa.ColumnElement[str]
    counted: sa.ColumnElement[bool]


_kept: Final = notifications.c.status == InboxStatus.KEPT.value
_paid: Final = [OrderStatus.PAID.value, OrderStatus.FINISHED.value, OrderStatus.REFUNDED.value]
_code: Final = attempts.c.status_code

SOURCES: Final = (
    Source(
        "notifications",
        notifications.c.id,
        # "kept" is what a row is from its first moment, or never becomes.
        sa.case((_kept, "kept"), else_="recorded"),
        sa.true(),
    ),
    Source(
        "payments_learned",
        order_steps.c.id,
        order_steps.c.cause,
        order_steps.c.status_after.in_(_paid) & order_steps.c.status_before.not_in(_paid),
    ),
    Source("deliveries", deliveries.c.id, sa.literal("made"), sa.true()),
    Source(
        "webhook_attempts",
        attempts.c.id,
        sa.case(
            (_code.is_(None), "no_answer"),
            (_code < 300, "2xx"),
            (_code < 400, "3xx"),
            (_code < 500, "4xx"),
            else_="5xx",
        ),
        sa.true(),
    ),
)
"""What is counted by its rows. Once counted, a row may be deleted: it is counted once."""


def add_to_tallies(tx: Tx, counts: Counts, now: datetime) -> None:
    """Adds ``counts`` to the totals, in the hour of ``now``."""
    rows: list[dict[str, Any]] = [
        {"name": name, "label": label, "hour": _hour(now), "value": value}
        # In one order, so that two processes wait for one another, not each for the other.
        for (name, label), value in sorted(counts.items())
    ]
    if not rows:
        return
    insert = postgresql.insert if tx.dialect == "postgresql" else sqlite.insert
    statement = insert(tallies).values(rows)
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["name", "label", "hour"],
            set_={"value": tallies.c.value + statement.excluded.value},
        )
    )


def fold_old_tallies(tx: Tx, now: datetime) -> None:
    """Puts hours that are no longer told apart together. As whoever holds a position only."""
    old = (tallies.c.hour < _hour(now) - timedelta(hours=HOURS_KEPT), tallies.c.hour > BEGINNING)
    gone = tx.execute(
        sa.delete(tallies).where(*old).returning(tallies.c.name, tallies.c.label, tallies.c.value)
    )
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in gone:
        sums[row.name, row.label] += row.value
    add_to_tallies(tx, sums, BEGINNING)


def count_rows(tx: Tx, source: Source, after: int, upto: int) -> dict[tuple[str, str], int]:
    """How many rows there are with ``after < id <= upto``, by label."""
    rows = fetch(
        tx,
        sa.select(source.label.label("label"), sa.func.count())
        .where(source.id > after, source.id <= upto, source.counted)
        .group_by("label"),
    )
    return {(source.name, label): count for label, count in rows}


def read_tallies(tx: Tx, *, since: datetime | None = None) -> dict[str, dict[str, int]]:
    """Totals by name and label, with what is not tallied yet; or of the hours since then."""
    parts: list[Any] = []
    kept = sa.select(tallies.c.name, tallies.c.label, tallies.c.value)
    parts.append(kept if since is None else kept.where(tallies.c.hour >= _hour(since)))
    parts += [
        sa.select(
            sa.literal(source.name).label("name"),
            source.label.label("label"),
            sa.literal(1).label("value"),
        ).where(source.id > _tail_of(source), source.counted)
        for source in SOURCES
    ]
    # One statement: between two, rows could pass from the tail into the tallies.
    every = sa.union_all(*parts).subquery()
    rows = fetch(
        tx,
        sa.select(every.c.name, every.c.label, sa.func.sum(every.c.value)).group_by(
            every.c.name, every.c.label
        ),
    )
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for name, label, value in rows:
        found[name][label] = int(value)
    return dict(found)


def _tail_of(source: Source) -> sa.ColumnElement[int]:
    """After which id rows are counted one by one: the position, or not long before the end."""
    position = sa.select(positions.c.position).where(positions.c.name == source.name)
    counted = sa.func.coalesce(position.scalar_subquery(), 0)
    last = sa.select(sa.func.coalesce(sa.func.max(source.id), 0)).scalar_subquery()
    return sa.case((counted > last - TAIL_ROWS_MAX, counted), else_=last - TAIL_ROWS_MAX)


def see_one_moment(tx: Tx) -> None:
    """Makes all that ``tx`` reads be of one moment, as on SQLite it is anyway. First in ``tx``."""
    if tx.dialect == "postgresql":
        tx.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))


def fetch(
    tx: Tx, statement: sa.Executable, given: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """The rows of ``statement``, as plain tuples."""
    return [tuple(row) for row in tx.execute(statement, given)]


def total(found: Mapping[str, Mapping[str, int]], name: str, label: str) -> int:
    """One of the totals, 0 if nothing was counted."""
    return found.get(name, {}).get(label, 0)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
