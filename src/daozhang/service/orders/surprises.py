"""Surprises as rows: facts that did not fit, and wait for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.db import Moment, RowId, Tx, insert_ignoring, metadata
from daozhang.service.orders.model import Surprise

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
    # The same surprise about the same thing is one surprise until somebody has dealt with it.
    sa.Column("open_key", sa.String(200), unique=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("resolved_at", Moment),
    sa.Index(
        "ix_surprises_open",
        "merchant_id",
        "created_at",
        postgresql_where=UNRESOLVED,
        sqlite_where=UNRESOLVED,
    ),
)


def insert_surprise(tx: Tx, values: Mapping[str, Any]) -> int | None:
    """The id of the new surprise, or ``None`` if the same one is open already."""
    new = insert_ignoring(tx, surprises, [values], surprises.c.id)
    return cast("int", new[0]) if new else None


def list_surprises(
    tx: Tx, merchant_id: int, order_id: int | None = None, *, number: str | None = None
) -> list[Surprise]:
    """The merchant's open surprises, oldest first; of one order if ``order_id`` is given, of a hold or
    an agreement if its ``number`` is."""
    query = sa.select(surprises).where(
        surprises.c.merchant_id == merchant_id, surprises.c.resolved_at.is_(None)
    )
    if order_id is not None:
        query = query.where(surprises.c.order_id == order_id)
    if number is not None:
        query = query.where(surprises.c.order_id.is_(None), surprises.c.out_trade_no == number)
    return [
        Surprise(
            amount=Money(row["amount_minor"], row["currency"]),
            **{name: row[name] for name in Surprise.__dataclass_fields__ if name != "amount"},
        )
        for row in tx.execute(query.order_by(surprises.c.id)).mappings()
    ]
