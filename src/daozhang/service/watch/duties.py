"""What runs later: counts of this process are written, and what the tables tell is tallied."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from daozhang.service.db import Tx
from daozhang.service.duty import Duty
from daozhang.service.watch import store
from daozhang.service.web.context import Context

SETTLED_SECONDS: Final = 60
"""After this long no transaction is open any more that was given a lower id than another one that
has committed: what is below can be counted once and for all."""

ROWS_PER_ROUND: Final = 5000

log = structlog.get_logger(__name__)


class WriteMeter(Duty):
    """Adds what this process has counted to the tallies of all."""

    name = "watch_meter"
    knows_no_time = True

    def __init__(self, context: Context) -> None:
        self._context = context

    def run_due(self) -> int:
        """Writes the counts so far. Always 0: under load there is ever more to write, and once in
        a while is enough."""
        counts = self._context.meter.take()
        if not counts:
            return 0
        try:
            with self._context.database.begin() as tx:
                store.add_to_tallies(tx, counts, self._context.clock.now())
        except BaseException:
            self._context.meter.give_back(counts)
            raise
        return 0

    def write_last(self) -> None:
        """Writes the counts so far, before this process ends. The database may be why it ends."""
        try:
            self.run_due()
        except SQLAlchemyError as error:
            log.warning("counts_not_written", error=str(error))

    def next_due(self) -> datetime | None:
        """At no certain moment: a worker looks every few seconds anyway."""
        return None


class GoThrough(Duty):
    """Goes through rows of the tables once each, so that nobody has to go through them all again.

    A stretch is certain once `SETTLED_SECONDS` have passed since its last number was given.
    """

    def __init__(
        self, context: Context, sources: Sequence[store.Rows], first_ceiling_at: datetime | None
    ) -> None:
        """``first_ceiling_at``: since when what is there at the very first is certain; else now."""
        self._context = context
        self._sources = sources
        self._first_ceiling_at = first_ceiling_at

    def take(self, tx: Tx, source: store.Rows, at: store.Position, upto: int) -> None:
        """Takes the rows with ``at.position < id <= upto``, in the transaction that notes so."""
        raise NotImplementedError

    def begin_stretch(self, tx: Tx, now: datetime) -> None:
        """Does what is to be done now and then, as whoever holds a position."""

    def run_due(self) -> int:
        """Takes a stretch of each table; how many tables had one."""
        now = self._context.clock.now()
        return sum(self._go_on(source, now) for source in self._sources)

    def next_due(self) -> datetime | None:
        """When the next stretch is certain, of any table."""
        with self._context.database.read() as tx:
            positions = store.list_positions(tx)
            dues = [self._due(tx, source, positions.get(source.name)) for source in self._sources]
        return min((due for due in dues if due is not None), default=None)

    def _due(self, tx: Tx, source: store.Rows, position: store.Position | None) -> datetime | None:
        if position is not None and position.position < position.ceiling:
            return position.ceiling_at + timedelta(seconds=SETTLED_SECONDS)
        last = store.last_id(tx, source)
        return self._context.clock.now() if last > (position.ceiling if position else 0) else None

    def _go_on(self, source: store.Rows, now: datetime) -> int:
        with self._context.database.begin() as tx:
            at = store.lock_position(tx, source, self._first_ceiling_at or now)
            if at is None:
                return 0
            if at.position == at.ceiling:
                last = store.last_id(tx, source)
                if last > at.ceiling:
                    store.set_position(tx, source.name, ceiling=last, ceiling_at=now)
                    self.begin_stretch(tx, now)
                return int(last > at.ceiling)
            if now < at.ceiling_at + timedelta(seconds=SETTLED_SECONDS):
                return 0
            upto = min(at.ceiling, at.position + ROWS_PER_ROUND)
            self.take(tx, source, at, upto)
            store.set_position(tx, source.name, position=upto)
        return 1


class Tally(GoThrough):
    """Counts rows of the tables once each, so that nobody has to count them all again."""

    name = "watch_tally"

    def __init__(self, context: Context) -> None:
        super().__init__(context, store.SOURCES, store.BEGINNING)

    def take(self, tx: Tx, source: store.Rows, at: store.Position, upto: int) -> None:
        """Counts by label."""
        assert isinstance(source, store.Source)
        counts = store.count_rows(tx, source, at.position, upto)
        store.add_to_tallies(tx, counts, at.ceiling_at)

    def begin_stretch(self, tx: Tx, now: datetime) -> None:
        """Folds what is no longer told apart by the hour."""
        store.fold_old_tallies(tx, now)
