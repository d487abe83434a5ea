"""Shifts as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.bulk import insert_row
from daozhang.service.db import Json, Moment, RowId, Tx, insert_ignoring, metadata, one_of
from daozhang.service.shifts.model import Shift, ShiftStatus

_OPEN: Final = sa.text("status = 'open'")

shifts = sa.Table(
    "shifts",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("public_id", sa.String(32), nullable=False, unique=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("person_id", RowId, sa.ForeignKey("people.id"), nullable=False),
    sa.Column("person_name", sa.String(64), nullable=False),
    sa.Column("store_id", sa.String(32), nullable=False),
    sa.Column("terminal_id", sa.String(32), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("handed_over_at", Moment),
    sa.Column("counted", Json, nullable=False),
    sa.Column("note", sa.String(256)),
    sa.Column("taken_by", RowId),
    sa.Column("taken_name", sa.String(64)),
    sa.Column("taken_at", Moment),
    sa.Column("taken_note", sa.String(256)),
    one_of("status", ShiftStatus),
    sa.Index("ix_shifts_merchant_id", "merchant_id", "id"),
    # One person stands at one till.
    sa.Index(
        "uq_shifts_open",
        "merchant_id",
        "person_id",
        unique=True,
        postgresql_where=_OPEN,
        sqlite_where=_OPEN,
    ),
)

# Beside the orders, not in them: what is at a till is few, and the orders' table is on the hot path.
shift_orders = sa.Table(
    "shift_orders",
    metadata,
    sa.Column("order_id", RowId, sa.ForeignKey("orders.id"), primary_key=True, autoincrement=False),
    sa.Column("shift_id", RowId, sa.ForeignKey("shifts.id"), nullable=False),
    sa.Index("ix_shift_orders_shift_id", "shift_id", "order_id"),
)


def insert_shift(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Adds a shift; ``False`` if the person has an open one with that merchant."""
    return bool(insert_ignoring(tx, shifts, [values], shifts.c.id))


def update_shift(tx: Tx, shift_id: int, **values: Any) -> None:
    """Writes columns of one shift."""
    tx.execute(sa.update(shifts).where(shifts.c.id == shift_id).values(**values))


def find_shift(tx: Tx, merchant_id: int, public_id: str, *, lock: bool = False) -> Shift | None:
    """The merchant's shift of that id."""
    return _one(tx, shifts.c.merchant_id == merchant_id, shifts.c.public_id == public_id, lock=lock)


def find_open_shift(
    tx: Tx, merchant_id: int, person_id: int, *, lock: bool = False
) -> Shift | None:
    """The shift in which that person stands at a till of that merchant."""
    return _one(
        tx,
        shifts.c.merchant_id == merchant_id,
        shifts.c.person_id == person_id,
        shifts.c.status == ShiftStatus.OPEN.value,
        lock=lock,
    )


def find_latest_shift(tx: Tx, merchant_id: int, person_id: int) -> Shift | None:
    """The last shift of that person with that merchant: where they will likely stand again."""
    wanted = (
        sa.select(shifts)
        .where(shifts.c.merchant_id == merchant_id, shifts.c.person_id == person_id)
        .order_by(shifts.c.id.desc())
        .limit(1)
    )
    row = tx.execute(wanted).mappings().first()
    return None if row is None else shift_of(row)


def list_shifts(
    tx: Tx,
    merchant_id: int,
    *,
    before_id: int | None,
    rows_max: int,
    status: str | None = None,
    seen_by: int | None = None,
) -> list[Shift]:
    """The merchant's shifts, newest first; with ``seen_by`` those of that person, and those that
    wait to be taken."""
    wanted = sa.select(shifts).where(shifts.c.merchant_id == merchant_id)
    if seen_by is not None:
        waits = shifts.c.status == ShiftStatus.HANDED_OVER.value
        concerned = sa.or_(shifts.c.person_id == seen_by, shifts.c.taken_by == seen_by)
        wanted = wanted.where(sa.or_(waits, concerned))
    if before_id is not None:
        wanted = wanted.where(shifts.c.id < before_id)
    if status is not None:
        wanted = wanted.where(shifts.c.status == status)
    rows = tx.execute(wanted.order_by(shifts.c.id.desc()).limit(rows_max)).mappings()
    return [shift_of(row) for row in rows]


def add_order(tx: Tx, shift_id: int, order_id: int) -> None:
    """Notes that an order was begun in a shift."""
    insert_row(
        tx,
        shift_orders,
        {"order_id": order_id, "shift_id": shift_id},
        returning="order_id",
        on_conflict="ON CONFLICT DO NOTHING",
    )


def shift_of_order(tx: Tx, order_id: int) -> Shift | None:
    """The shift in which an order was begun at a till."""
    wanted = sa.select(shifts).join(shift_orders).where(shift_orders.c.order_id == order_id)
    row = tx.execute(wanted).mappings().first()
    return None if row is None else shift_of(row)


def _one(tx: Tx, *conditions: sa.ColumnElement[bool], lock: bool) -> Shift | None:
    wanted = sa.select(shifts).where(*conditions)
    row = tx.execute(wanted.with_for_update(key_share=True) if lock else wanted).mappings().first()
    return None if row is None else shift_of(row)


def shift_of(row: Mapping[Any, Any]) -> Shift:
    """A row of ``shifts`` as a `Shift`."""
    plain = {name: row[name] for name in Shift.__dataclass_fields__ if name != "status"}
    return Shift(status=ShiftStatus(row["status"]), **plain)
