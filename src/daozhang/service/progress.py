"""Progress: rows of tables that are gone through once each, in the order of their ids.

So that nobody has to go through all of them again: to count them, to sum them up, to fold them. Where
each stands is a row that whoever goes on holds; what is done to a stretch is in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.db import Moment, RowId, Tx, insert_ignoring, metadata
from daozhang.service.duty import Duty
from daozhang.service.web.context import Context

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The ceiling of what happened before anybody looked."""

SETTLED_SECONDS: Final = 60
"""After this long no transaction is open any more that was given a lower id than another one that
has committed: what is below can be counted once and for all."""

ROWS_PER_ROUND: Final = 5000

positions: Final = sa.Table(
    "watch_positions",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("position", RowId, nullable=False),
    sa.Column("ceiling", RowId, nullable=False),
    sa.Column("ceiling_at", Moment, nullable=False),
)


@dataclass(frozen=True)
class Rows:
    """A table whose rows are gone through once, in order of their ids."""

    name: str
    id: sa.Column[int]

    @cached_property
    def last_id(self) -> sa.Select[Any]:
        """The statement that reads the highest id."""
        return sa.select(sa.func.max(self.id))


@dataclass(frozen=True, slots=True)
class Position:
    """Up to which id a source is counted, and up to which it may be once some time has passed."""

    name: str
    position: int
    ceiling: int
    ceiling_at: datetime


_POSITION: Final = sa.select(positions).where(positions.c.name == sa.bindparam("name"))
_POSITION_LOCKED: Final = _POSITION.with_for_update(skip_locked=True)


def lock_position(tx: Tx, source: Rows, first_ceiling_at: datetime = BEGINNING) -> Position | None:
    """Where counting ``source`` stands; ``None`` while another process counts it.

    What is there when counting first begins has its ceiling at ``first_ceiling_at``; for a tally it
    belongs to no hour: it happened before.
    """
    row = tx.execute(_POSITION_LOCKED, {"name": source.name}).first()
    if row is None:
        ceiling = {"ceiling": last_id(tx, source), "ceiling_at": first_ceiling_at}
        start = {"name": source.name, "position": 0, **ceiling}
        if insert_ignoring(tx, positions, [start], positions.c.name):
            row = tx.execute(_POSITION, {"name": source.name}).one()
    return None if row is None else Position(*row)


_ALL_POSITIONS: Final = sa.select(positions)


def list_positions(tx: Tx) -> dict[str, Position]:
    """Where counting stands."""
    return {row.name: Position(*row) for row in tx.execute(_ALL_POSITIONS)}


def set_position(tx: Tx, name: str, **values: Any) -> None:
    """Writes where counting a source stands."""
    tx.execute(sa.update(positions).where(positions.c.name == name).values(**values))


def last_id(tx: Tx, source: Rows) -> int:
    """The highest id that the source has."""
    return int(tx.execute(source.last_id).scalar() or 0)


class GoThrough(Duty):
    """Goes through rows of the tables once each, so that nobody has to go through them all again.

    A stretch is certain once `SETTLED_SECONDS` have passed since its last number was given.
    """

    def __init__(
        self, context: Context, sources: Sequence[Rows], first_ceiling_at: datetime | None
    ) -> None:
        """``first_ceiling_at``: since when what is there at the very first is certain; else now."""
        self._context = context
        self._sources = sources
        self._first_ceiling_at = first_ceiling_at

    def take(self, tx: Tx, source: Rows, at: Position, upto: int) -> None:
        """Takes the rows with ``at.position < id <= upto``, in the transaction that notes so."""
        raise NotImplementedError

    def begin_stretch(self, tx: Tx, now: datetime) -> None:
        """Does what is to be done now and then, as whoever holds a position."""

    def run_due(self) -> int:
        """Takes a stretch of each table; how many tables had one."""
        now = self._context.clock.now()
        return sum(self._go_on(source, now) for source in self._ripe(now))

    def _ripe(self, now: datetime) -> list[Rows]:
        """Those with something to do: for the others nobody is locked out. What nobody has begun is
        one of them, though it has no rows yet: from here on its rows have an hour."""
        with self._context.database.read() as tx:
            positions = list_positions(tx)
            dues = {
                source.name: self._due(tx, source, positions[source.name])
                for source in self._sources
                if source.name in positions
            }
        return [
            source
            for source in self._sources
            if (due := dues.get(source.name, now)) is not None and due <= now
        ]

    def next_due(self) -> datetime | None:
        """When the next stretch is certain, of any table."""
        with self._context.database.read() as tx:
            positions = list_positions(tx)
            dues = [self._due(tx, source, positions.get(source.name)) for source in self._sources]
        return min((due for due in dues if due is not None), default=None)

    def _due(self, tx: Tx, source: Rows, position: Position | None) -> datetime | None:
        if position is not None and position.position < position.ceiling:
            return position.ceiling_at + timedelta(seconds=SETTLED_SECONDS)
        last = last_id(tx, source)
        return self._context.clock.now() if last > (position.ceiling if position else 0) else None

    def _go_on(self, source: Rows, now: datetime) -> int:
        with self._context.database.begin() as tx:
            at = lock_position(tx, source, self._first_ceiling_at or now)
            if at is None:
                return 0
            if at.position == at.ceiling:
                last = last_id(tx, source)
                if last > at.ceiling:
                    set_position(tx, source.name, ceiling=last, ceiling_at=now)
                    self.begin_stretch(tx, now)
                return int(last > at.ceiling)
            if now < at.ceiling_at + timedelta(seconds=SETTLED_SECONDS):
                return 0
            upto = min(at.ceiling, at.position + ROWS_PER_ROUND)
            self.take(tx, source, at, upto)
            set_position(tx, source.name, position=upto)
        return 1
