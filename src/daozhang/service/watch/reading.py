"""Reading the whole house: the queries that the picture is made of. Each has a small index.

Nothing here may take longer as the books grow: what is over is in the tallies, what is not over is
in partial indexes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.agreements import store as agreements_store
from daozhang.service.agreements.store import UNSETTLED, agreements
from daozhang.service.agreements.store import UNWATCHED as UNWATCHED_AGREEMENTS
from daozhang.service.charges import store as charges_store
from daozhang.service.charges.store import OPEN as OPEN_CHARGES
from daozhang.service.charges.store import charges
from daozhang.service.db import Tx
from daozhang.service.holds import store as holds_store
from daozhang.service.holds.model import HoldStatus
from daozhang.service.holds.store import OPEN as OPEN_HOLDS
from daozhang.service.holds.store import holds
from daozhang.service.inbox.model import InboxStatus
from daozhang.service.inbox.store import NOT_APPLIED, notifications, refusal_counts
from daozhang.service.merchants.store import merchants
from daozhang.service.orders.store import OPEN, UNWATCHED, orders
from daozhang.service.orders.surprises import UNRESOLVED, surprises
from daozhang.service.till import store as till_store
from daozhang.service.watch import store
from daozhang.service.watch.model import Backlog, Consents, Deliveries, Inbox, OpenSurprises
from daozhang.service.webhooks.store import PARKED, deliveries, endpoints

WITH_A_PERSON: Final = (notifications.c.status == InboxStatus.SURPRISED.value) | (
    # Its order has not come to be within an hour: a person has been told, and it still waits.
    (notifications.c.status == InboxStatus.WAITING.value) & notifications.c.due_at.is_(None)
)
"""Notifications that have their surprise."""

COPIES_MANY: Final = 8
"""Alipay sends one notification up to this often when it hears no success; more is a loop."""

COPIES_WINDOW: Final = timedelta(days=1)

_EARLIEST: Final = {
    "till": till_store.DUE_ROWS.earliest_due,
    "charge": charges_store.DUE_ROWS.earliest_due,
    "hold": holds_store.DUE_ROWS.earliest_due,
    "agreement": agreements_store.DUE_ROWS.earliest_due,
}


def read_inbox(tx: Tx, tallied: dict[str, dict[str, int]], now: datetime) -> Inbox:
    """Where all notifications are. ``tallied`` was read in the same transaction, before."""
    backlog = {
        status: Backlog(count, oldest_at)
        for status, count, oldest_at in store.fetch(
            tx,
            sa.select(
                notifications.c.status, sa.func.count(), sa.func.min(notifications.c.received_at)
            )
            .where(NOT_APPLIED, ~WITH_A_PERSON)
            .group_by(notifications.c.status),
        )
    }
    ((surprised,),) = store.fetch(
        tx, sa.select(sa.func.count()).select_from(notifications).where(NOT_APPLIED, WITH_A_PERSON)
    )
    ((copies_max, copied_often),) = store.fetch(
        tx,
        sa.select(
            sa.func.coalesce(sa.func.max(notifications.c.copies), 0),
            sa.func.coalesce(sa.func.sum(sa.case((notifications.c.copies > COPIES_MANY, 1))), 0),
        ).where(sa.text("copies > 1"), notifications.c.received_at >= now - COPIES_WINDOW),
    )
    kept = store.total(tallied, "notifications", "kept")
    return Inbox(
        recorded=kept + store.total(tallied, "notifications", "recorded"),
        kept=kept,
        backlog=backlog,
        surprised=surprised,
        copies_max=int(copies_max),
        copied_often=int(copied_often),
        refused=_refused(tx),
    )


def _refused(tx: Tx) -> dict[str, int]:
    rows = store.fetch(
        tx,
        sa.select(refusal_counts.c.reason, sa.func.sum(refusal_counts.c.count)).group_by(
            refusal_counts.c.reason
        ),
    )
    return {reason: int(count) for reason, count in rows}


def count_open_orders(tx: Tx) -> int:
    """Orders of which Alipay may still tell us something that decides."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(orders).where(OPEN)).scalar_one())


def count_unwatched_orders(tx: Tx) -> int:
    """Open orders that nobody would ask about any more: there must be none."""
    # Left alone, SQLite looks among all that have no next query: every order that is over.
    hint = " INDEXED BY ix_orders_unwatched" if tx.dialect == "sqlite" else ""
    wanted = sa.select(sa.func.count()).select_from(sa.text(f"orders{hint}")).where(UNWATCHED)
    return int(tx.execute(wanted).scalar_one())


def read_consents(tx: Tx, now: datetime) -> Consents:
    """What buyers have agreed to in advance, and what is late about it and at the till."""
    counted = sa.func.count()
    by_status = sa.select(holds.c.status, counted).where(OPEN_HOLDS).group_by(holds.c.status)
    unsettled = sa.select(agreements.c.status, counted).where(UNSETTLED)
    by_phase = sa.select(charges.c.kind, charges.c.phase, counted).where(OPEN_CHARGES)
    left = sa.func.sum(
        holds.c.amount_minor - holds.c.captured_minor - holds.c.released_minor,
    )
    frozen = sa.select(holds.c.environment, holds.c.currency, left).where(
        OPEN_HOLDS, holds.c.status == HoldStatus.AUTHORIZED.value
    )
    unasked = {
        "hold": sa.select(counted).where(OPEN_HOLDS, holds.c.due_at.is_(None)),
        "agreement": sa.select(counted).select_from(agreements).where(UNWATCHED_AGREEMENTS),
        "charge": sa.select(counted).where(OPEN_CHARGES, charges.c.due_at.is_(None)),
    }
    return Consents(
        holds={row[0]: row[1] for row in store.fetch(tx, by_status)},
        frozen={
            environment: Money(int(minor), currency)
            for environment, currency, minor in store.fetch(
                tx, frozen.group_by(holds.c.environment, holds.c.currency)
            )
        },
        agreements={
            row[0]: row[1] for row in store.fetch(tx, unsettled.group_by(agreements.c.status))
        },
        charges={
            (row[0], row[1]): row[2]
            for row in store.fetch(tx, by_phase.group_by(charges.c.kind, charges.c.phase))
        },
        unwatched={kind: tx.execute(one).scalar_one() for kind, one in unasked.items()},
        late={
            kind: due_at
            for kind, earliest_due in _EARLIEST.items()
            if (due_at := earliest_due(tx)) is not None and due_at < now
        },
    )


def sum_surprises(tx: Tx) -> list[OpenSurprises]:
    """What waits for a person."""
    found = sa.select(surprises).where(UNRESOLVED).subquery()
    rows = store.fetch(
        tx,
        sa.select(
            found.c.reason,
            merchants.c.environment,
            found.c.currency,
            sa.func.sum(found.c.amount_minor),
            sa.func.count(),
        )
        .join(merchants, merchants.c.id == found.c.merchant_id)
        .group_by(found.c.reason, merchants.c.environment, found.c.currency),
    )
    return [
        OpenSurprises(reason, environment, Money(int(minor), currency), count)
        for reason, environment, currency, minor, count in rows
    ]


def read_deliveries(tx: Tx, tallied: dict[str, dict[str, int]]) -> Deliveries:
    """Where webhooks stand. ``tallied`` was read in the same transaction, before."""
    counted = sa.select(sa.func.count()).select_from(deliveries)
    pending = tx.execute(counted.where(sa.text("status = 'pending'"))).scalar_one()
    parked = tx.execute(counted.where(PARKED)).scalar_one()
    live = endpoints.c.deleted_at.is_(None)
    by_status = store.fetch(
        tx, sa.select(endpoints.c.status, sa.func.count()).where(live).group_by(endpoints.c.status)
    )
    failing = tx.execute(
        sa.select(sa.func.min(endpoints.c.failing_since)).where(
            live, endpoints.c.status == "enabled"
        )
    )
    return Deliveries(
        made=store.total(tallied, "deliveries", "made"),
        pending=pending,
        parked=parked,
        endpoints={row[0]: row[1] for row in by_status},
        failing_since=failing.scalar(),
    )
