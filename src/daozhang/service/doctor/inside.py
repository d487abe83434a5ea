"""What a running service is: its versions, its database, its clocks. Changes nothing, asks nobody else."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final

import sqlalchemy as sa

from daozhang.clock import ManualClock, SystemClock
from daozhang.service.migrations import Standing, revisions, standing
from daozhang.service.web.context import Context

PACKAGES: Final = ("daozhang", "dbos", "sqlalchemy", "cryptography", "granian")


@dataclass(frozen=True, slots=True)
class Inside:
    """A service as it is now. ``skew_seconds`` is our clock's less the database server's; ``None`` where
    the database has no clock of its own, or ours is pushed by hand."""

    versions: dict[str, str]
    dialect: str
    database_version: str
    size_bytes: int
    standing: Standing
    revision: str
    now: datetime
    is_manual: bool
    skew_seconds: float | None


def look_inside(context: Context) -> Inside:
    """A few quick reads."""
    dialect = context.database.dialect
    told: Any
    with context.database.read() as tx:
        if dialect == "postgresql":
            told = tx.execute(
                sa.text(
                    "SELECT current_setting('server_version'), "
                    "pg_database_size(current_database()), clock_timestamp()"
                )
            ).one()
        else:
            told = tx.execute(
                sa.text(
                    "SELECT sqlite_version(), (SELECT page_count FROM pragma_page_count()) "
                    "* (SELECT page_size FROM pragma_page_size()), NULL"
                )
            ).one()
    now, is_manual = context.clock.now(), isinstance(context.clock, ManualClock)
    skew = None
    if told[2] is not None and not is_manual:
        skew = (SystemClock().now() - told[2].astimezone(UTC)).total_seconds()
    return Inside(
        versions={"Python": platform.python_version(), **{one: version(one) for one in PACKAGES}},
        dialect=dialect,
        database_version=str(told[0]),
        size_bytes=int(told[1]),
        standing=standing(context.database),
        revision=revisions()[-1],
        now=now,
        is_manual=is_manual,
        skew_seconds=skew,
    )
