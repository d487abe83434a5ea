"""Events as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, cast

import sqlalchemy as sa

from daozhang.service.bulk import insert_row, insert_rows
from daozhang.service.db import Json, Moment, RowId, Tx, metadata
from daozhang.service.outbox.model import Event, EventHead

# No foreign keys: docs/decisions/0011.
events: Final = sa.Table(
    "events",
    metadata,
    sa.Column("number", RowId, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(40), nullable=False, unique=True),
    sa.Column("merchant_id", RowId, nullable=False),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("order_id", RowId),
    sa.Column("sequence", sa.Integer),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("api_version", sa.String(16), nullable=False),
    sa.Column("data", Json, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("order_id", "sequence"),
    sa.Index("ix_events_merchant_id_number", "merchant_id", "number"),
)

event_subjects: Final = sa.Table(
    "event_subjects",
    metadata,
    sa.Column("event_number", RowId, primary_key=True, autoincrement=False),
    sa.Column("merchant_id", RowId, nullable=False),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Index("ix_event_subjects_subject", "merchant_id", "subject"),
)
"""What an event is about that belongs to no order. Beside the events, which are written on the hot path."""


def insert_event(tx: Tx, values: Mapping[str, Any]) -> Event:
    """The new event."""
    number = cast("int", insert_row(tx, events, values, returning="number"))
    return Event(number=number, **values)


def last_sequence(tx: Tx, order_id: int) -> int:
    """The sequence of the order's latest event, 0 if it has none."""
    return tx.execute(_LATEST, {"order_id": order_id}).scalar() or 0


_LATEST: Final = sa.select(sa.func.max(events.c.sequence)).where(
    events.c.order_id == sa.bindparam("order_id")
)


def insert_events(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds events, in their order."""
    insert_rows(tx, events, rows)


def latest_sequence(order_id: sa.Column[int]) -> sa.ScalarSelect[Any]:
    """The sequence of the latest event of the order in ``order_id``, for a query of orders."""
    latest = sa.select(sa.func.coalesce(sa.func.max(events.c.sequence), 0))
    return latest.where(events.c.order_id == order_id).correlate_except(events).scalar_subquery()


def last_event(tx: Tx, merchant_id: int) -> Event | None:
    """The merchant's event with the highest number, if there is one."""
    latest = (
        sa.select(events)
        .where(events.c.merchant_id == merchant_id)
        .order_by(events.c.number.desc())
        .limit(1)
    )
    row = tx.execute(latest).mappings().one_or_none()
    return None if row is None else _event(row)


def find_event(tx: Tx, merchant_id: int, event_id: str) -> Event | None:
    """The merchant's event of that id, ``None`` if it is another's or nobody's."""
    wanted = sa.select(events).where(events.c.merchant_id == merchant_id, events.c.id == event_id)
    row = tx.execute(wanted).mappings().one_or_none()
    return None if row is None else _event(row)


def list_events_of_merchant(
    tx: Tx, merchant_id: int, *, after_number: int, types: Collection[str], rows_max: int
) -> list[Event]:
    """The merchant's events after ``after_number``, oldest first; no ``types`` means all."""
    wanted = sa.select(events).where(
        events.c.merchant_id == merchant_id, events.c.number > after_number
    )
    if types:
        wanted = wanted.where(events.c.type.in_(types))
    rows = tx.execute(wanted.order_by(events.c.number).limit(rows_max)).mappings()
    return [_event(row) for row in rows]


def list_events_of_order(tx: Tx, order_id: int, *, after_sequence: int = 0) -> list[Event]:
    """The order's events after ``after_sequence``, in the order in which they happened."""
    wanted = sa.select(events).where(
        events.c.order_id == order_id, events.c.sequence > after_sequence
    )
    return [_event(row) for row in tx.execute(wanted.order_by(events.c.sequence)).mappings()]


def insert_subject(tx: Tx, event: Event, subject: str) -> None:
    """Writes down what an event is about."""
    values = {
        "event_number": event.number,
        "merchant_id": event.merchant_id,
        "subject": subject,
    }
    tx.execute(sa.insert(event_subjects).values(values))


def list_events_about(tx: Tx, merchant_id: int, subject: str) -> list[Event]:
    """The merchant's events about ``subject``, oldest first."""
    numbers = sa.select(event_subjects.c.event_number).where(
        event_subjects.c.merchant_id == merchant_id, event_subjects.c.subject == subject
    )
    wanted = sa.select(events).where(events.c.number.in_(numbers)).order_by(events.c.number)
    return [_event(row) for row in tx.execute(wanted).mappings()]


_heads_after: Final = (
    sa.select(*(events.c[column.name] for column in dataclasses.fields(EventHead)))
    .where(events.c.number > sa.bindparam("after"))
    .order_by(events.c.number)
    .limit(sa.bindparam("rows_max"))
)


def list_heads_after(tx: Tx, number: int, rows_max: int) -> list[EventHead]:
    """All merchants' events after ``number``, in order of their numbers."""
    rows = tx.execute(_heads_after, {"after": number, "rows_max": rows_max})
    return [EventHead(*row) for row in rows]


def find_events(tx: Tx, numbers: Sequence[int]) -> dict[int, Event]:
    """The events of those numbers, by number."""
    rows = tx.execute(sa.select(events).where(events.c.number.in_(numbers))).mappings()
    return {row["number"]: _event(row) for row in rows}


def running_from(tx: Tx) -> int:
    """The oldest transaction that is still running; 0 on SQLite, see `outbox.rules`."""
    return _snapshot(tx, "pg_snapshot_xmin")


def started_before(tx: Tx) -> int:
    """The transaction that would start next; 0 on SQLite, see `outbox.rules`."""
    return _snapshot(tx, "pg_snapshot_xmax")


def _snapshot(tx: Tx, function: str) -> int:
    if tx.dialect != "postgresql":
        return 0
    # xid8 has no cast to a number; its text has.
    return int(tx.execute(sa.text(f"SELECT {function}(pg_current_snapshot())::text")).scalar_one())


def _event(row: sa.RowMapping) -> Event:
    return Event(**row)
