"""What is due to be sent, as SQL in a caller's transaction: found, claimed, given back.

Each query says by its form how it is to be run. A planner that has not seen the table since it grew
would otherwise compare every delivery that waits with every other one: a fence (OFFSET 0) makes it
walk through what is due in order, and what holds a delivery back is looked up only for those that
it meets, in the one index that fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.db import Moment, Tx
from daozhang.service.webhooks.model import Delivery, Endpoint, EndpointStatus
from daozhang.service.webhooks.store import (
    IS_PENDING,
    deliveries,
    delivery_of,
    endpoint_of,
    endpoints,
)

_earlier: Final = deliveries.alias("earlier")


def _is_free(waiting: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether no earlier event of the same order is on its way to the same endpoint."""
    holding_back = (
        sa.select(sa.literal(1))
        .where(
            _earlier.c.order_id == waiting.c.order_id,
            _earlier.c.sequence < waiting.c.sequence,
            # With a sum no index of endpoints is of use here: only that of the order is.
            _earlier.c.endpoint_id + 0 == waiting.c.endpoint_id,
            sa.text("earlier.status = 'pending'"),
        )
        .limit(1)
        .correlate(waiting)
        .scalar_subquery()
    )
    return holding_back.is_(None)


def _in_order(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Pending deliveries, the longest due first; the fence keeps the order and the condition."""
    columns = (deliveries.c[name] for name in ("id", "endpoint_id", "order_id", "sequence"))
    wanted = sa.select(*columns, deliveries.c.due_at).where(IS_PENDING, *conditions)
    return wanted.order_by(deliveries.c.due_at).offset(0)


def _claim(dialect: str) -> sa.UpdateBase:
    now = sa.bindparam("now", type_=Moment)
    is_due = deliveries.c.due_at <= now
    of_endpoint = deliveries.c.endpoint_id == sa.bindparam("endpoint")
    due = _in_order(of_endpoint, is_due).subquery("due")
    free = sa.select(due.c.id).where(_is_free(due)).limit(sa.bindparam("rows_max"))
    if dialect == "postgresql":
        first = free.cte("free").prefix_with("MATERIALIZED")
        # What another process has claimed since is not due any more, and what it claims now is locked.
        locked = sa.select(deliveries.c.id).where(
            deliveries.c.id.in_(sa.select(first.c.id)), IS_PENDING, is_due
        )
        free = sa.select(locked.with_for_update(skip_locked=True).cte("locked").c.id)
    return (
        sa.update(deliveries)
        .where(deliveries.c.id.in_(free))
        .values(
            due_at=sa.bindparam("lease_until", type_=Moment),
            attempt_count=deliveries.c.attempt_count + 1,
        )
        .returning(deliveries)
    )


_CLAIM: Final = {dialect: _claim(dialect) for dialect in ("postgresql", "sqlite")}


def claim_due(
    tx: Tx, endpoint_id: int, now: datetime, lease_until: datetime, rows_max: int
) -> list[Delivery]:
    """Claims deliveries of an endpoint that are due and not held back, until ``lease_until``."""
    given = {"endpoint": endpoint_id, "now": now, "lease_until": lease_until, "rows_max": rows_max}
    claimed = tx.execute(_CLAIM[tx.dialect], given).mappings()
    return sorted((delivery_of(row) for row in claimed), key=lambda one: one.event_number)


def _earliest() -> sa.Select[Any]:
    own = _in_order(
        deliveries.c.endpoint_id == endpoints.c.id, deliveries.c.due_at.is_not(None)
    ).correlate(endpoints)
    waiting = own.subquery("waiting")
    due_at = sa.select(waiting.c.due_at).where(_is_free(waiting)).limit(1)
    each = (
        sa.select(endpoints, due_at.correlate(endpoints).scalar_subquery().label("earliest_due"))
        .where(
            endpoints.c.deleted_at.is_(None),
            endpoints.c.status == EndpointStatus.ENABLED.value,
        )
        .subquery("each_endpoint")
    )
    return sa.select(each).where(each.c.earliest_due.is_not(None)).order_by(each.c.id)


_EARLIEST: Final = _earliest()


def list_waiting(tx: Tx) -> list[tuple[Endpoint, datetime]]:
    """The endpoints to which something is to be sent, now or later, and when the first of it is."""
    rows = tx.execute(_EARLIEST).mappings()
    return [(endpoint_of(row), row["earliest_due"]) for row in rows]


def give_back(tx: Tx, delivery_ids: Sequence[int], now: datetime) -> None:
    """Undoes a claim: they are due at once, and nothing counts as tried."""
    tx.execute(
        sa.update(deliveries)
        .where(deliveries.c.id.in_(delivery_ids), IS_PENDING)
        .values(due_at=now, attempt_count=deliveries.c.attempt_count - 1)
    )
