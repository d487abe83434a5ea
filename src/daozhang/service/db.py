"""The database: one engine, transactions in hand, and the column types of our tables.

A `Tx` is handed to whoever works inside it; nothing here or in any ``store`` commits, only the
`with` block that opened it. SQLite (the default; WAL, ``synchronous=FULL``: an acknowledged row
is on the disk) and PostgreSQL are equals.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import msgspec
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError

BUSY_SECONDS: Final = 15
"""How long a writer waits for SQLite's single writer's lock before it gives up."""

POOL_CONNECTIONS: Final = 16
"""Connections to PostgreSQL that one process keeps."""

IDLE_SECONDS_MAX: Final = 1.0
"""A connection to PostgreSQL that has rested for longer is tried before it is used."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_open_transaction: ContextVar[bool] = ContextVar("open_transaction", default=False)

_shared_read: ContextVar[Tx | None] = ContextVar("shared_read", default=None)

metadata: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""All tables of the service; each domain's ``store`` adds its own, ``schema`` gathers them."""

RowId = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
"""A row's number: counts up by itself as a primary key on both databases."""

Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
"""A JSON value."""


_json_encoder = msgspec.json.Encoder()


def json_text(value: Any) -> str:
    """A JSON value as our columns keep it."""
    return _json_encoder.encode(value).decode()


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware datetime in UTC: ``timestamptz`` on PostgreSQL, whole microseconds on SQLite."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        return dialect.type_descriptor(sa.BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone; times here are aware.")
        if dialect.name == "postgresql":
            return value
        return (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "postgresql":
            return cast("datetime", value).astimezone(UTC)
        return _EPOCH + timedelta(microseconds=value)


class Tx:
    """A transaction in hand. Whoever holds it may read and write, and leaves the commit alone."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self._before_commit: list[Callable[[], None]] = []
        self._after_commit: list[Callable[[], None]] = []

    @property
    def dialect(self) -> str:
        """``"sqlite"`` or ``"postgresql"``."""
        return self.connection.dialect.name

    def execute(
        self,
        statement: sa.Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> sa.CursorResult[Any]:
        """Runs one statement of SQLAlchemy Core."""
        return self.connection.execute(statement, parameters)

    def before_commit(self, action: Callable[[], None]) -> None:
        """Calls ``action`` as the last work of this transaction, and never if it is rolled back.

        For rows that are written under a lock which everybody wants: it is held for a moment only,
        and whoever has it waits for nobody.
        """
        self._before_commit.append(action)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Calls ``action`` once this transaction is on disk, and never if it is rolled back.

        For nudges only: what must happen is a row, not a call.
        """
        self._after_commit.append(action)

    def committing(self) -> None:
        """Runs what was left for before the commit. For `Database` only."""
        for action in self._before_commit:
            action()

    def committed(self) -> None:
        """Runs what was left for after the commit. For `Database` only."""
        for action in self._after_commit:
            action()


class Database:
    """The engine and the only place that begins, commits and rolls back."""

    def __init__(self, url: str) -> None:
        """Opens nothing yet. ``url`` is ``sqlite:///path`` or ``postgresql+psycopg://...``."""
        self.url = url
        self.engine = _create_engine(url)
        # SQLite has one writer at a time. Queueing for it here, in order of arrival, is fairer
        # and much quicker than letting threads collide inside SQLite and sleep.
        self._writer = threading.Lock() if self.engine.dialect.name == "sqlite" else None

    @property
    def dialect(self) -> str:
        """``"sqlite"`` or ``"postgresql"``."""
        return self.engine.dialect.name

    @contextmanager
    def begin(self, *, in_one_go: bool = False) -> Generator[Tx]:
        """A transaction that may write: committed when the block ends, rolled back if it raises.

        ``in_one_go`` is for a block that writes with `daozhang.service.bulk` only: what it sends
        PostgreSQL travels together, the commit included, and is waited for once, or where rows
        are read. What a statement raises is raised there.

        No network call happens inside one; `require_no_transaction` is asked by whoever makes
        one. Transactions do not nest: asking for a second raises `RuntimeError`.
        """
        if self._writer is None:
            with self._transaction(writes=True, in_one_go=in_one_go) as tx:
                yield tx
        else:
            with self._writer, self._transaction(writes=True) as tx:
                yield tx
        tx.committed()

    @contextmanager
    def read(self) -> Generator[Tx]:
        """A transaction that only reads: one consistent picture, and no waiting for writers."""
        shared = _shared_read.get()
        if shared is not None:
            yield shared
            return
        with self._transaction(writes=False) as tx:
            yield tx

    @contextmanager
    def reading_together(self) -> Generator[None]:
        """Lets all that is read inside, by whomever it is called, share one transaction."""
        with self.read() as tx:
            token = _shared_read.set(tx)
            try:
                yield
            finally:
                _shared_read.reset(token)

    def dispose(self) -> None:
        """Closes all connections."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self, *, writes: bool, in_one_go: bool = False) -> Generator[Tx]:
        if _open_transaction.get():
            raise RuntimeError("A transaction is open already: hand it on instead of a second one.")
        token = _open_transaction.set(True)
        try:
            with self.engine.connect() as connection:
                connection = connection.execution_options(daozhang_writes=writes)
                if not writes and self._writer is None:
                    # PostgreSQL's own level shows each statement another picture.
                    connection = connection.execution_options(isolation_level="REPEATABLE READ")
                driver = cast("Any", connection.connection.driver_connection)
                with driver.pipeline() if in_one_go else nullcontext(), connection.begin():
                    tx = Tx(connection)
                    yield tx
                    tx.committing()
        finally:
            _open_transaction.reset(token)


def require_no_transaction(what: str) -> None:
    """Raises `RuntimeError` if a transaction is open here: ``what`` would go to the network."""
    if _open_transaction.get():
        raise RuntimeError(f"{what} inside a transaction: commit first, then call.")


_Enum = TypeVar("_Enum", bound=str)


def one_of(column: str, values: type[_Enum]) -> sa.CheckConstraint:
    """A CHECK that ``column`` holds a value of the string enum ``values``."""
    listed = ", ".join(f"'{member.value}'" for member in cast("Any", values))
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def insert_ignoring(
    tx: Tx, table: sa.Table, rows: Sequence[Mapping[str, Any]], returning: sa.Column[Any]
) -> list[Any]:
    """``INSERT ... ON CONFLICT DO NOTHING``: the ``returning`` values of rows that were new."""
    dialect_insert = postgresql.insert if tx.dialect == "postgresql" else sqlite.insert
    # One row by itself: SQLAlchemy keeps what it compiles for a single one, and only for that.
    values = rows[0] if len(rows) == 1 else list(rows)
    statement = dialect_insert(table).values(values).on_conflict_do_nothing()
    return list(tx.execute(statement.returning(returning)).scalars())


def earliest_of(
    column: sa.Column[datetime] | sa.Column[datetime | None], *conditions: sa.ColumnElement[bool]
) -> sa.Select[Any]:
    """The statement that reads the earliest moment in ``column``, of the rows for which
    ``conditions`` hold. Keep it as a constant: to build it costs more than to run it."""
    # The first condition says nothing new; by it SQLite sees that its index will do.
    return sa.select(sa.func.min(column)).where(column.is_not(None), *conditions)


def _create_engine(url: str) -> sa.Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _create_sqlite_engine(parsed)
    if parsed.get_backend_name() == "postgresql":
        return _create_postgresql_engine(parsed)
    raise ValueError(f"{parsed.get_backend_name()!r} is not a database we know: sqlite, postgresql")


def _create_postgresql_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=POOL_CONNECTIONS,
        max_overflow=0,
        # The one that was used last knows the statements already: they are prepared in it.
        pool_use_lifo=True,
        hide_parameters=True,
        json_serializer=json_text,
        json_deserializer=msgspec.json.decode,
    )

    @event.listens_for(engine, "checkout")
    def _ping(connection: Any, record: Any, _proxy: object) -> None:  # pyright: ignore[reportUnusedFunction]
        # A server that was restarted leaves dead connections behind. One that was in use a moment
        # ago is not asked: that would be a round trip more for each transaction.
        if time.monotonic() - record.info.get("used_at", 0.0) > IDLE_SECONDS_MAX:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error

    @event.listens_for(engine, "checkin")
    def _note_use(_connection: Any, record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        record.info["used_at"] = time.monotonic()

    return engine


def _create_sqlite_engine(url: sa.URL) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError("SQLite needs a file: what is in memory is lost, and this is money.")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        url,
        poolclass=sa.QueuePool,
        pool_size=POOL_CONNECTIONS,
        max_overflow=16,
        hide_parameters=True,  # errors go into logs, and values are people's
        json_serializer=json_text,
        json_deserializer=msgspec.json.decode,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        # We begin transactions ourselves, below; the driver's own way would let a read
        # transaction turn into a write one half way, which SQLite refuses under load.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        writes = connection.get_execution_options().get("daozhang_writes", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
