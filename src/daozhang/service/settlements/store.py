"""Settlements as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.db import Moment, RowId, Tx, insert_ignoring, metadata, one_of
from daozhang.service.due import HeldRows
from daozhang.service.settlements.model import Settlement, SettlementStatus
from daozhang.service.sharing.store import (
    HELD,
    IS_DUE,
    doubt,
)

settlements = sa.Table(
    "settlements",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("order_id", RowId, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("seller_id", sa.String(32), nullable=False),
    sa.Column("out_request_no", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("freezes", sa.Boolean, nullable=False),
    sa.Column("requested_by", sa.String(64)),
    sa.Column("calling", sa.Boolean, nullable=False, default=False),
    sa.Column("called_at", Moment),
    sa.Column("call_count", sa.Integer, nullable=False, default=0),
    sa.Column("ask_count", sa.Integer, nullable=False, default=0),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("due_at", Moment),
    sa.Column("held_at", Moment),
    sa.Column("last_code", sa.String(128)),
    sa.Column("last_message", sa.Text),
    sa.Column("ended_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    # Whether Alipay's number is one of the seller or one of the trade is unverified: of the seller is both.
    sa.UniqueConstraint("environment", "seller_id", "out_request_no"),
    sa.Index("ix_settlements_order_id", "order_id"),
    sa.Index("ix_settlements_due", "due_at", postgresql_where=IS_DUE, sqlite_where=IS_DUE),
    sa.Index("ix_settlements_held", "merchant_id", postgresql_where=HELD, sqlite_where=HELD),
    one_of("status", SettlementStatus),
    sa.CheckConstraint("amount_minor > 0", name="amount"),
)


def insert_settlement(tx: Tx, values: Mapping[str, Any]) -> int | None:
    """Adds a settlement; its row id, or ``None`` if the seller's number is taken."""
    added = insert_ignoring(tx, settlements, [values], settlements.c.id)
    return cast("int", added[0]) if added else None


def update_settlement(tx: Tx, settlement_id: int, **values: Any) -> None:
    """Writes the given columns of one settlement."""
    tx.execute(sa.update(settlements).where(settlements.c.id == settlement_id).values(**values))


def find_settlement(
    tx: Tx, environment: str, seller_id: str, out_request_no: str
) -> Settlement | None:
    """The seller's settlement of that number."""
    c = settlements.c
    wanted = sa.select(settlements).where(
        c.environment == environment,
        c.seller_id == seller_id,
        c.out_request_no == out_request_no,
    )
    row = tx.execute(wanted).mappings().first()
    return None if row is None else settlement_of(row)


def read_settlement(tx: Tx, settlement_id: int) -> Settlement:
    """The settlement with that row id; they are never deleted."""
    wanted = sa.select(settlements).where(settlements.c.id == settlement_id)
    return settlement_of(tx.execute(wanted).mappings().one())


def list_settlements(tx: Tx, order_id: int) -> list[Settlement]:
    """All settlements of an order, oldest first. Under the order's lock nobody else moves them."""
    wanted = sa.select(settlements).where(settlements.c.order_id == order_id)
    return [settlement_of(row) for row in tx.execute(wanted.order_by(settlements.c.id)).mappings()]


def confirmed_by(tx: Tx, order_id: int) -> str | None:
    """The number by which the settlement of an order was confirmed; ``None`` if it was not."""
    c = settlements.c
    wanted = sa.select(c.out_request_no).where(
        c.order_id == order_id, c.status == SettlementStatus.CONFIRMED.value
    )
    return tx.execute(wanted).scalar()


def is_under_way(tx: Tx, order_id: int) -> bool:
    """Whether it is not known yet what becomes of a settlement of an order."""
    c = settlements.c
    open_ = (SettlementStatus.REQUESTED.value, SettlementStatus.UNKNOWN.value)
    wanted = sa.select(c.id).where(c.order_id == order_id, c.status.in_(open_)).limit(1)
    return tx.execute(wanted).first() is not None


def settlement_of(row: Mapping[Any, Any]) -> Settlement:
    """A row of ``settlements`` as a `Settlement`."""
    typed = ("status", "amount")
    return Settlement(
        status=SettlementStatus(row["status"]),
        amount=Money(row["amount_minor"], row["currency"]),
        **{name: row[name] for name in Settlement.__dataclass_fields__ if name not in typed},
    )


# ---- what is due


DUE_ROWS: Final = HeldRows(settlements)


def doubt_all(tx: Tx, now: datetime, due_at: datetime) -> None:
    """Every settlement that is not final becomes one that may have been sent until ``now``, for books that
    were restored."""
    doubt(tx, settlements, now, due_at)
