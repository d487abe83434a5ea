"""Payments at the till as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa

from daozhang.service.bulk import insert_row, read_rows, update_rows
from daozhang.service.db import Json, Moment, RowId, Tx, metadata, one_of
from daozhang.service.due import DueRows
from daozhang.service.till.model import BarcodePayment, Ending, Phase

DUE: Final = sa.text("due_at IS NOT NULL")
"""What somebody still has to do something about: few rows, with an index of their own."""

barcode_payments = sa.Table(
    "barcode_payments",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("order_id", RowId, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("phase", sa.String(16), nullable=False),
    sa.Column("ending", sa.String(16)),
    sa.Column("code_hash", sa.String(64), nullable=False),
    sa.Column("scene", sa.String(16), nullable=False),
    sa.Column("operator_id", sa.String(64)),
    sa.Column("terminal_id", sa.String(64)),
    sa.Column("store_id", sa.String(64)),
    sa.Column("buyer_acts", sa.Boolean, nullable=False, default=False),
    sa.Column("called_at", Moment, nullable=False),
    sa.Column("wait_until", Moment, nullable=False),
    sa.Column("ask_count", sa.Integer, nullable=False, default=0),
    sa.Column("cancel_count", sa.Integer, nullable=False, default=0),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("due_at", Moment),
    sa.Column("last_code", sa.String(128)),
    sa.Column("last_message", sa.Text),
    sa.Column("journal", Json, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("order_id", "number"),
    sa.Index("ix_barcode_payments_due", "due_at", postgresql_where=DUE, sqlite_where=DUE),
    one_of("phase", Phase),
)


def insert_payment(tx: Tx, values: Mapping[str, Any]) -> int:
    """Adds a payment; its row id."""
    return cast("int", insert_row(tx, barcode_payments, values, returning="id"))


def update_payment(tx: Tx, payment_id: int, **values: Any) -> None:
    """Writes the given columns of one payment."""
    update_rows(tx, barcode_payments, [{"id": payment_id, **values}])


def find_payment(tx: Tx, payment_id: int) -> BarcodePayment | None:
    """The payment with that row id."""
    return _one(tx, _BY_ID, {"payment_id": payment_id})


def latest_payment(tx: Tx, order_id: int) -> BarcodePayment | None:
    """The last code that was scanned for an order. Under the order's lock nobody adds another."""
    return _one(tx, _LATEST, {"order_id": order_id})


_BY_ID: Final = sa.select(barcode_payments).where(
    barcode_payments.c.id == sa.bindparam("payment_id")
)
_LATEST: Final = (
    sa.select(barcode_payments)
    .where(barcode_payments.c.order_id == sa.bindparam("order_id"))
    .order_by(barcode_payments.c.number.desc())
    .limit(1)
)


def _one(tx: Tx, query: sa.Select[Any], given: Mapping[str, Any]) -> BarcodePayment | None:
    rows = read_rows(tx, query, given)
    return payment_of(rows[0]) if rows else None


def list_payments(tx: Tx, order_id: int) -> list[BarcodePayment]:
    """All codes that were scanned for an order, oldest first."""
    rows = tx.execute(
        sa.select(barcode_payments)
        .where(barcode_payments.c.order_id == order_id)
        .order_by(barcode_payments.c.number)
    ).mappings()
    return [payment_of(row) for row in rows]


DUE_ROWS: Final = DueRows(barcode_payments)


def doubt_all(tx: Tx, now: datetime) -> int:
    """Every payment that has not ended is asked about, and given up if Alipay has not heard of it.

    For books that were restored: whoever stood at the till is gone.
    """
    doubted = tx.execute(
        sa.update(barcode_payments)
        .where(barcode_payments.c.phase != Phase.ENDED.value)
        .values(phase=Phase.ASKING.value, wait_until=now, due_at=now, updated_at=now)
    )
    return doubted.rowcount


def payment_of(row: Mapping[Any, Any]) -> BarcodePayment:
    """A row of ``barcode_payments`` as a `BarcodePayment`."""
    plain = {
        name: row[name]
        for name in BarcodePayment.__dataclass_fields__
        if name not in ("phase", "ending", "journal")
    }
    return BarcodePayment(
        phase=Phase(row["phase"]),
        ending=None if row["ending"] is None else Ending(row["ending"]),
        journal=tuple(row["journal"]),
        **plain,
    )
