"""What runs later: counts of this process are written, and what the tables tell is tallied."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from daozhang.service.db import Tx
from daozhang.service.duty import Duty
from daozhang.service.progress import BEGINNING, GoThrough, Position, Rows
from daozhang.service.watch import store
from daozhang.service.web.context import Context

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


class Tally(GoThrough):
    """Counts rows of the tables once each, so that nobody has to count them all again."""

    name = "watch_tally"

    def __init__(self, context: Context) -> None:
        super().__init__(context, store.SOURCES, BEGINNING)

    def take(self, tx: Tx, source: Rows, at: Position, upto: int) -> None:
        """Counts by label."""
        assert isinstance(source, store.Source)
        counts = store.count_rows(tx, source, at.position, upto)
        store.add_to_tallies(tx, counts, at.ceiling_at)

    def begin_stretch(self, tx: Tx, now: datetime) -> None:
        """Folds what is no longer told apart by the hour."""
        store.fold_old_tallies(tx, now)
