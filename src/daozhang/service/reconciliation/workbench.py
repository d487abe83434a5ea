"""The workbench: where the lines of a bill lie beside the books for as long as they are compared.

On PostgreSQL a temporary table, on SQLite a scratch file to which the books are attached for reading:
neither is written to the books' own log, and nobody who books a payment waits. Gone after the block.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.pool import StaticPool

from daozhang.service.db import Database

BENCH: Final = "bench"
"""The schema of what lies on the bench; where that is, each database says for itself."""

_own: Final = sa.MetaData(schema=BENCH)

trade_lines: Final = sa.Table(
    "bill_trade_lines",
    _own,
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("refund", sa.Boolean),
    sa.Column("trade_no", sa.Text),
    sa.Column("out_trade_no", sa.Text),
    sa.Column("out_request_no", sa.Text),
    sa.Column("at", sa.Text),
    sa.Column("total", sa.BigInteger),
    sa.Column("receipt", sa.BigInteger),
    sa.Column("discount", sa.BigInteger),
    sa.Column("fee", sa.BigInteger),
)

account_lines: Final = sa.Table(
    "bill_account_lines",
    _own,
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("account_log_id", sa.Text),
    sa.Column("trade_no", sa.Text),
    sa.Column("out_trade_no", sa.Text),
    sa.Column("at", sa.Text),
    sa.Column("income", sa.BigInteger),
    sa.Column("outgo", sa.BigInteger),
    sa.Column("balance", sa.BigInteger),
    sa.Column("business", sa.Text),
)

odd: Final = sa.Table(
    "bill_odd",
    _own,
    sa.Column("number", sa.BigInteger),
    sa.Column("order_id", sa.BigInteger),
    sa.Column("place", sa.Text),
)
"""What may differ: the line of a payment and its order; a line without an order; an order without a line.

``place`` is where the line lies, on PostgreSQL, which has no index of the lines.
"""

place_of_line: Final = sa.column("ctid", sa.Text, _selectable=trade_lines)
"""Where a line lies, on PostgreSQL: a column that every table there has."""

matched: Final = sa.Table(
    "bill_matched",
    _own,
    sa.Column("order_id", sa.BigInteger, primary_key=True),
    sa.Column("number", sa.BigInteger),
    sa.Column("odd", sa.Boolean),
)
"""On SQLite, of each order its first line; of a line without an order its number below zero."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A connection on which the books can be read and the tables above be filled."""

    connection: sa.Connection

    @property
    def is_postgresql(self) -> bool:
        """Whether the books are on PostgreSQL."""
        return self.connection.dialect.name == "postgresql"

    @property
    def driver(self) -> Any:
        """The driver's own connection."""
        return self.connection.connection.driver_connection

    def is_line_of_odd(self) -> sa.ColumnElement[bool]:
        """The condition that a line is the one in `odd`; found without looking through the lines."""
        if self.is_postgresql:
            return place_of_line == odd.c.place
        return trade_lines.c.number == odd.c.number

    def lay_out(self, table: sa.Table) -> None:
        """Makes a table of the bench."""
        # A line gets its number by itself: nobody sends a million numbers.
        number = "bigserial" if self.is_postgresql else "INTEGER PRIMARY KEY"
        columns = ", ".join(
            f"{c.name} {number if c.primary_key else _TYPES[type(c.type)]}" for c in table.columns
        )
        if self.is_postgresql:
            create = f"CREATE TEMP TABLE {table.name} ({columns}) ON COMMIT DROP"
        else:
            create = f"CREATE TABLE main.{table.name} ({columns})"
        self.connection.exec_driver_sql(create)

    def lay_out_found(self, table: sa.Table, found: sa.Select[*tuple[Any, ...]]) -> None:
        """Makes a table of the bench of what ``found`` selects, on PostgreSQL. Unlike an insert, that may
        read the books in several processes."""
        self.connection.execute(found.into(table.name, temporary=True))

    def counted(self, table: sa.Table, *columns: sa.Column[Any]) -> None:
        """Lets the planner know how much there is, and what is in ``columns``."""
        if self.is_postgresql:
            names = ", ".join(column.name for column in columns or table.columns)
            self.connection.exec_driver_sql(f"ANALYZE {table.name} ({names})")


_TYPES: Final[dict[type[Any], str]] = {
    sa.BigInteger: "bigint",
    sa.Boolean: "boolean",
    sa.Text: "text",
}


@contextmanager
def workbench(database: Database, folder: Path) -> Generator[Bench]:
    """A bench beside the books; what lies on it is gone after the block."""
    if database.dialect == "postgresql":
        with database.read() as tx:
            # A hash may take twice of it: a million lines in 160 MB.
            tx.connection.exec_driver_sql("SET LOCAL work_mem = '80MB'")
            # What has to be known is whether a column says a thing once, and how few refunds there are:
            # three thousand lines tell that as well as thirty thousand.
            tx.connection.exec_driver_sql("SET LOCAL default_statistics_target = 10")
            # Our lines are this process's own, and the orders are not: that to hand their rows over costs a lot
            # is what the planner thinks.
            tx.connection.exec_driver_sql("SET LOCAL parallel_tuple_cost = 0")
            yield Bench(tx.connection.execution_options(schema_translate_map={BENCH: "pg_temp"}))
            # What was found is laid out without an end to it; the other tables end with the transaction.
            tx.connection.exec_driver_sql(f"DROP TABLE IF EXISTS pg_temp.{odd.name}")
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="bench-") as place:
        connect = _scratch(Path(place) / "bench.sqlite3", str(make_url(database.url).database))
        with closing(connect) as driver:
            engine = sa.create_engine("sqlite://", creator=lambda: driver, poolclass=StaticPool)
            with engine.connect() as connection:
                options = {"schema_translate_map": {BENCH: "main", None: "books"}}
                yield Bench(connection.execution_options(**options))


def _scratch(path: Path, books: str) -> sqlite3.Connection:
    """A file that nobody misses, beside which the books can be read."""
    driver = sqlite3.connect(
        f"file:{path}", uri=True, isolation_level=None, check_same_thread=False
    )
    for pragma in (
        "journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", "cache_size=-4000",
    ):  # fmt: skip
        driver.execute(f"PRAGMA main.{pragma}")
    driver.execute("ATTACH DATABASE ? AS books", (f"file:{Path(books).absolute()}?mode=ro",))
    driver.execute("PRAGMA books.cache_size=-2000")
    return driver
