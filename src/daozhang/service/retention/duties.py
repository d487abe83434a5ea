"""The duty that forgets, in batches, once a day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from daozhang.service.db import Tx
from daozhang.service.duty import Duty
from daozhang.service.retention import store
from daozhang.service.retention.rules import cutoff, forgotten_at
from daozhang.service.web.context import Context

BATCH_ROWS_MAX: Final = 500
"""Rows in one transaction: on SQLite nobody else writes meanwhile."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """Rows that are gone through once, in the order of their numbers."""

    name: str
    days: int
    list_after: Callable[[Tx, int, int], list[tuple[int, datetime]]]
    forget: Callable[[Tx, Sequence[int]], None]


class Forget(Duty):
    """Raw notifications, what says who paid, and refused samples, each after its days."""

    name = "retention"
    rest_seconds = 0.05
    """Between two batches: a night's forgetting leaves room for everything else."""

    def __init__(self, context: Context) -> None:
        self._context = context
        days = context.settings
        self._refused_days = days.retention_refused_days
        self._kinds = (
            _Kind(
                "notifications",
                days.retention_notifications_days,
                store.list_notifications_after,
                store.forget_notifications,
            ),
            _Kind(
                "buyers",
                days.retention_personal_days,
                store.list_steps_after,
                store.forget_buyers,
            ),
            _Kind(
                "hold_payers",
                days.retention_personal_days,
                store.list_hold_steps_after,
                store.forget_payers,
            ),
            _Kind(
                "agreement_signers",
                days.retention_personal_days,
                store.list_agreement_steps_after,
                store.forget_signers,
            ),
        )

    def run_due(self) -> int:
        """One batch of each kind."""
        now = self._context.clock.now()
        if all(due > now for due in self._dues()):
            return 0  # most rounds: nobody is locked out for it
        with self._context.database.begin() as tx:
            deleted = store.delete_refused(tx, cutoff(now, self._refused_days), BATCH_ROWS_MAX)
        return deleted + sum(self._go_on(kind, now) for kind in self._kinds)

    def next_due(self) -> datetime | None:
        """The quiet hour at which the oldest that is kept has had its days."""
        return min(self._dues(), default=None)

    def _dues(self) -> list[datetime]:
        with self._context.database.read() as tx:
            oldest = store.oldest_refused(tx)
            dues = [] if oldest is None else [forgotten_at(oldest, self._refused_days)]
            marks = store.read_marks(tx)
            for kind in self._kinds:
                for _id, at in kind.list_after(tx, marks.get(kind.name, 0), 1):
                    dues.append(forgotten_at(at, kind.days))
        return dues

    def _go_on(self, kind: _Kind, now: datetime) -> int:
        until = cutoff(now, kind.days)
        with self._context.database.begin() as tx:
            found = kind.list_after(tx, store.lock_mark(tx, kind.name), BATCH_ROWS_MAX)
            # Up to the first that is too young, not beyond: a later one may be older by a moment.
            young = next((n for n, (_id, at) in enumerate(found) if at > until), len(found))
            ids = [row_id for row_id, _at in found[:young]]
            if ids:
                kind.forget(tx, ids)
                store.move_mark(tx, kind.name, ids[-1])
        return len(ids)
