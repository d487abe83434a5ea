"""Rows that are due: claimed some at a time, counted, and held by a merchant's switch for outgoing money; and
the sweep over such as are held.

A table of requests has ``merchant_id``, ``attempt`` and ``due_at``, and ``held_at`` where it moves money.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from daozhang.service.db import Tx, earliest_of
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.model import CHANGED_SIGNAL
from daozhang.service.merchants.store import STOPPED, merchants
from daozhang.service.sweep import Sweep
from daozhang.service.web.context import Context


class Due(NamedTuple):
    """A row that is due: the attempt it was given last, and the App that calls for it."""

    row_id: int
    attempt: int
    app_row: int


class DueRows:
    """What a sweep has to know of the rows of ``table``.

    ``due_at`` and ``attempt`` name the columns that say when, and how often so far: a row may be due for two things.
    """

    def __init__(self, table: sa.Table, due_at: str = "due_at", attempt: str = "attempt") -> None:
        self.table = table
        self._due_at, self._attempt = table.c[due_at], table.c[attempt]
        self._earliest = earliest_of(self._due_at)
        app_row = (
            sa.select(merchants.c.app_row)
            .where(merchants.c.id == table.c.merchant_id)
            .correlate(table)
            .scalar_subquery()
        )
        self._told = (table.c.id, self._attempt.label("attempt"), app_row.label("app_row"))

    def claim_due(self, tx: Tx, now: datetime, lease_until: datetime, rows_max: int) -> list[Due]:
        """Claims rows that are due, the earliest first.

        Their due time moves to ``lease_until``: if whoever works on them dies unseen, they are due again then.
        """
        due = sa.select(self.table.c.id).where(self._due_at <= now)
        due = due.order_by(self._due_at).limit(rows_max)
        if tx.dialect == "postgresql":
            due = due.with_for_update(skip_locked=True)
        claimed = tx.execute(
            sa.update(self.table)
            .where(self.table.c.id.in_(due))
            .values({self._due_at: lease_until})
            .returning(*self._told)
        )
        return [Due(row.id, row.attempt, row.app_row) for row in claimed]

    def count_attempts(self, tx: Tx, row_ids: Collection[int]) -> None:
        """Counts one attempt more for each of these rows."""
        if row_ids:
            counted: dict[Any, Any] = {self._attempt: self._attempt + 1}
            tx.execute(sa.update(self.table).where(self.table.c.id.in_(row_ids)).values(counted))

    def earliest_due(self, tx: Tx) -> datetime | None:
        """When the next row is due."""
        return tx.execute(self._earliest).scalar()


class HeldRows(DueRows):
    """The same for rows that the merchant's switch for outgoing money may hold back."""

    def __init__(self, table: sa.Table) -> None:
        super().__init__(table)
        self._releasable = (table.c.held_at.is_not(None), table.c.merchant_id.not_in(STOPPED))
        self._first_releasable = sa.select(table.c.id).where(*self._releasable).limit(1)

    def release_held(self, tx: Tx, now: datetime) -> int:
        """Makes the rows due whose merchant's switch allows outgoing money again; how many."""
        freed = sa.update(self.table).where(*self._releasable).values(held_at=None, due_at=now)
        return tx.execute(freed).rowcount

    def has_releasable(self, tx: Tx) -> bool:
        """Whether `release_held` would find one."""
        return tx.execute(self._first_releasable).first() is not None


class SweepHeld(Sweep):
    """A sweep whose rows, ``held``, an outgoing stop holds back: they go on after it."""

    held: HeldRows

    def __init__(self, context: Context, jobs: Jobs) -> None:
        super().__init__(context, jobs)
        context.signals.listen(CHANGED_SIGNAL, lambda: context.signals.wake(self.name))

    def prepare(self, tx: Tx, now: datetime) -> None:
        """Lets go what the merchant's switch for outgoing money holds no longer."""
        self.held.release_held(tx, now)

    def next_due(self) -> datetime | None:
        """When the earliest row is due: now, if outgoing money has been allowed again."""
        with self._context.database.read() as tx:
            if self.held.has_releasable(tx):
                return self._context.clock.now()
            return self.held.earliest_due(tx)
