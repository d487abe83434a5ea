"""Sweep: finds rows that are due and puts their next step on the queue of durable jobs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from daozhang.service.db import Tx
from daozhang.service.duty import Duty
from daozhang.service.jobs import Jobs
from daozhang.service.web.context import Context

BATCH_ROWS: Final = 50


class Rows(Protocol):
    """What the store of a domain knows of the rows that are swept."""

    def claim_due(
        self, tx: Tx, now: datetime, lease_until: datetime, rows_max: int, /
    ) -> Sequence[tuple[int, int, int]]:
        """Claims rows that are due: the row, the attempt it was given last, and its App's row."""
        ...

    def count_attempts(self, tx: Tx, row_ids: Collection[int], /) -> None:
        """Counts one attempt more for each of these rows."""
        ...

    def earliest_due(self, tx: Tx, /) -> datetime | None:
        """When the next row is due."""
        ...


class Sweep(Duty):
    """Enqueues a step for every row that is due, in its App's lane; rebuilds what the queue has lost.

    One whose last step still waits for its turn gets no other: in a flood they would take each other's
    turns.
    """

    is_awaited = True
    rows: Rows
    job: str
    """The name under which steps wait in the queue."""

    argument: str
    """What the job calls the row."""

    lease_seconds: int
    """After this a row is due again whose step died unseen."""

    def __init__(self, context: Context, jobs: Jobs) -> None:
        self._context = context
        self._jobs = jobs

    def run_due(self) -> int:
        """Claims a batch and enqueues its steps, in one transaction."""
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            self.prepare(tx, now)
            lease_until = now + timedelta(seconds=self.lease_seconds)
            claimed = self.rows.claim_due(tx, now, lease_until, BATCH_ROWS)
            keys = [step_key(row_id, attempt) for row_id, attempt, _ in claimed]
            waiting = self._jobs.waiting(self.job, keys)
            begun = [due for due, key in zip(claimed, keys, strict=True) if key not in waiting]
            self.rows.count_attempts(tx, [row_id for row_id, _, _ in begun])
            for row_id, attempt, app_row in begun:
                args = {self.argument: row_id}
                enqueue_step(tx, self._jobs, self.job, attempt + 1, args, app_row)
        return len(claimed)

    def prepare(self, tx: Tx, now: datetime) -> None:
        """What a kind of rows wants done before it is looked which are due."""

    def next_due(self) -> datetime | None:
        """When the earliest row is due."""
        with self._context.database.read() as tx:
            return self.rows.earliest_due(tx)


def enqueue_step(
    tx: Tx, jobs: Jobs, job: str, attempt: int, args: dict[str, int], app_row: int
) -> None:
    """Puts one step of a row on the queue, within ``tx``, in its App's lane. ``args`` name the row."""
    (row_id,) = args.values()
    jobs.enqueue(tx, job, step_key(row_id, attempt), args, lane=f"app:{app_row}")


def step_key(row_id: int, attempt: int) -> str:
    """What names one step among all jobs of its kind."""
    return f"{row_id}:{attempt}"
