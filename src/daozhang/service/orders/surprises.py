"""Surprises as rows: facts that did not fit, and wait for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.db import Moment, RowId, Tx, insert_ignoring, metadata
from daozhang.service.orders.model import Surprise, SurpriseEnd

UNRESOLVED: Final = sa.text("resolved_at IS NULL")

surprises = sa.Table(
    "surprises",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("order_id", RowId, sa.ForeignKey("orders.id")),
    sa.Column("out_trade_no", sa.String(64)),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("owner_name", sa.String(254)),
    # The same surprise about the same thing is one surprise until somebody has dealt with it.
    sa.Column("open_key", sa.String(200), unique=True),
    sa.Column("notification_id", RowId),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("resolved_at", Moment),
    sa.Column("resolution", sa.String(16)),
    sa.Column("resolved_by", sa.String(96)),
    sa.Column("resolved_name", sa.String(254)),
    sa.Column("resolution_note", sa.Text),
    sa.Index(
        "ix_surprises_open",
        "merchant_id",
        "created_at",
        postgresql_where=UNRESOLVED,
        sqlite_where=UNRESOLVED,
    ),
)


@dataclass(frozen=True, slots=True)
class OpenSum:
    """What waits for people in one currency: how many, over how much, since when."""

    amount: Money
    count: int
    oldest_at: datetime


def insert_surprise(tx: Tx, values: Mapping[str, Any]) -> int | None:
    """The id of the new surprise, or ``None`` if the same one is open already."""
    new = insert_ignoring(tx, surprises, [values], surprises.c.id)
    return cast("int", new[0]) if new else None


def update_surprise(tx: Tx, surprise_id: int, **values: Any) -> None:
    """Writes columns of one surprise."""
    tx.execute(sa.update(surprises).where(surprises.c.id == surprise_id).values(**values))


def find_surprise(
    tx: Tx, merchant_id: int, surprise_id: int, *, lock: bool = False
) -> Surprise | None:
    """The merchant's surprise of that row, open or ended."""
    wanted = sa.select(surprises).where(
        surprises.c.id == surprise_id, surprises.c.merchant_id == merchant_id
    )
    row = tx.execute(wanted.with_for_update() if lock else wanted).mappings().first()
    return None if row is None else _surprise_of(row)


def list_surprises(
    tx: Tx,
    merchant_id: int,
    order_id: int | None = None,
    *,
    number: str | None = None,
    ended: bool = False,
) -> list[Surprise]:
    """The merchant's open surprises, oldest first, with ``ended`` the others too; of one order if
    ``order_id`` is given, of a hold or an agreement if its ``number`` is."""
    query = sa.select(surprises).where(surprises.c.merchant_id == merchant_id)
    if not ended:
        query = query.where(UNRESOLVED)
    if order_id is not None:
        query = query.where(surprises.c.order_id == order_id)
    if number is not None:
        query = query.where(surprises.c.order_id.is_(None), surprises.c.out_trade_no == number)
    rows = tx.execute(query.order_by(surprises.c.id)).mappings()
    return [_surprise_of(row) for row in rows]


def page_open(
    tx: Tx, merchant_id: int, *, after_id: int | None, rows_max: int, owner: str | None = None
) -> list[Surprise]:
    """Open surprises, oldest first, after ``after_id``; those of one ``owner`` if given."""
    query = sa.select(surprises).where(surprises.c.merchant_id == merchant_id, UNRESOLVED)
    if after_id is not None:
        query = query.where(surprises.c.id > after_id)
    if owner is not None:
        query = query.where(surprises.c.owner == owner)
    rows = tx.execute(query.order_by(surprises.c.id).limit(rows_max)).mappings()
    return [_surprise_of(row) for row in rows]


def page_ended(tx: Tx, merchant_id: int, *, before_id: int | None, rows_max: int) -> list[Surprise]:
    """Surprises that somebody has dealt with, newest first, before ``before_id``."""
    query = sa.select(surprises).where(
        surprises.c.merchant_id == merchant_id, surprises.c.resolved_at.is_not(None)
    )
    if before_id is not None:
        query = query.where(surprises.c.id < before_id)
    rows = tx.execute(query.order_by(surprises.c.id.desc()).limit(rows_max)).mappings()
    return [_surprise_of(row) for row in rows]


def sum_open(tx: Tx, merchant_id: int) -> list[OpenSum]:
    """What waits for people of a merchant, by currency."""
    own = (surprises.c.merchant_id == merchant_id, UNRESOLVED)
    found = sa.select(
        surprises.c.currency,
        sa.func.sum(surprises.c.amount_minor).label("minor"),
        sa.func.count().label("count"),
        sa.type_coerce(sa.func.min(surprises.c.created_at), Moment).label("oldest_at"),
    )
    rows = tx.execute(found.where(*own).group_by(surprises.c.currency)).mappings()
    return [
        OpenSum(Money(int(row["minor"]), row["currency"]), row["count"], row["oldest_at"])
        for row in rows
    ]


def is_any_open(tx: Tx, merchant_id: int, *, order_id: int | None, number: str | None) -> bool:
    """Whether a surprise of that order, or of that number where there is no order, is open."""
    found = list_surprises(tx, merchant_id, order_id, number=number if order_id is None else None)
    return bool(found)


def _surprise_of(row: Mapping[Any, Any]) -> Surprise:
    told = {
        name: row[name]
        for name in Surprise.__dataclass_fields__
        if name not in ("amount", "resolution")
    }
    resolution = row["resolution"]
    return Surprise(
        amount=Money(row["amount_minor"], row["currency"]),
        resolution=None if resolution is None else SurpriseEnd(resolution),
        **told,
    )
