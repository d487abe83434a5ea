"""How far the backfill has come, and what it goes through, as rows. Never commits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.db import Tx, insert_ignoring
from daozhang.service.ledger.store import backfill
from daozhang.service.orders.model import Order
from daozhang.service.orders.store import order_of, order_steps, orders
from daozhang.service.refunds.model import Refund
from daozhang.service.refunds.store import SUCCEEDED, refund_of, refunds


def last_step(tx: Tx) -> int:
    """The number of the last step there is."""
    return int(tx.execute(sa.select(sa.func.max(order_steps.c.id))).scalar() or 0)


def insert_rounds(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Writes the rounds; whether there were none."""
    return bool(insert_ignoring(tx, backfill, rows, backfill.c.round))


_OPEN_ROUNDS: Final = (
    sa.select(backfill).where(backfill.c.ended_at.is_(None)).order_by(backfill.c.round)
)
_ANY_ROUND: Final = sa.select(backfill.c.round).limit(1)


def list_open_rounds(tx: Tx) -> list[sa.RowMapping]:
    """The rounds that are not through, the first first."""
    return list(tx.execute(_OPEN_ROUNDS).mappings())


def has_rounds(tx: Tx) -> bool:
    """Whether anybody has ever begun."""
    return tx.execute(_ANY_ROUND).first() is not None


def lock_round(tx: Tx, round_: int) -> sa.RowMapping | None:
    """One round, held until ``tx`` ends; ``None`` if somebody else has it, or it is through."""
    wanted = sa.select(backfill).where(backfill.c.round == round_, backfill.c.ended_at.is_(None))
    return tx.execute(wanted.with_for_update(skip_locked=True)).mappings().first()


def update_round(tx: Tx, round_: int, **values: Any) -> None:
    """Writes how far a round has come."""
    tx.execute(sa.update(backfill).where(backfill.c.round == round_).values(**values))


def list_steps_between(
    tx: Tx, after: int, upto: int, rows_max: int
) -> list[tuple[int, int, str, datetime]]:
    """Steps with ``after < id <= upto``: number, order, status after it, moment."""
    c = order_steps.c
    wanted = (
        sa.select(c.id, c.order_id, c.status_after, c.at)
        .where(c.id > after, c.id <= upto)
        .order_by(c.id)
        .limit(rows_max)
    )
    return [(row.id, row.order_id, row.status_after, row.at) for row in tx.execute(wanted)]


def hold_orders(tx: Tx, order_ids: Collection[int]) -> list[Order]:
    """Those orders, as they stand until ``tx`` ends: whoever moves one posts what that moves."""
    wanted = sa.select(orders).where(orders.c.id.in_(order_ids)).order_by(orders.c.id)
    return [order_of(row) for row in tx.execute(wanted.with_for_update(read=True)).mappings()]


def list_succeeded(tx: Tx, order_ids: Collection[int]) -> list[Refund]:
    """What has gone back of those orders, in the order in which it was asked for."""
    wanted = sa.select(refunds).where(refunds.c.order_id.in_(order_ids), SUCCEEDED)
    return [refund_of(row) for row in tx.execute(wanted.order_by(refunds.c.id)).mappings()]
