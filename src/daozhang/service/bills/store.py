"""Statements, their files and the pieces of these, as rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.bills.model import (
    FileOrigin,
    FileStatus,
    Statement,
    StatementFile,
    StatementKind,
    StatementStatus,
)
from daozhang.service.db import (
    Json,
    Moment,
    RowId,
    Tx,
    earliest_of,
    insert_ignoring,
    metadata,
    one_of,
)
from daozhang.service.merchants.store import merchants

PART_BYTES: Final = 512 * 1024
DAY: Final = len("2026-03-01")
IS_DUE: Final = sa.text("due_at IS NOT NULL")

statements: Final = sa.Table(
    "statements",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("seller_id", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("period", sa.String(10), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("file_id", RowId),
    sa.Column("due_at", Moment),
    sa.Column("attempt", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("last_code", sa.String(64)),
    sa.Column("last_message", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("environment", "seller_id", "kind", "period"),
    sa.Index("ix_statements_due_at", "due_at", postgresql_where=IS_DUE, sqlite_where=IS_DUE),
    one_of("kind", StatementKind),
    one_of("status", StatementStatus),
)

files: Final = sa.Table(
    "statement_files",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("public_id", sa.String(32), nullable=False, unique=True),
    sa.Column("statement_id", RowId, sa.ForeignKey("statements.id"), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("origin", sa.String(16), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("added_by", sa.String(96), nullable=False),
    sa.Column("added_name", sa.String(254), nullable=False),
    sa.Column("added_at", Moment, nullable=False),
    sa.Column("line_count", sa.BigInteger),
    sa.Column("totals", Json),
    sa.Column("differences", Json, nullable=False),
    sa.Column("new_columns", Json, nullable=False),
    sa.Column("problem", Json),
    sa.UniqueConstraint("statement_id", "sha256"),
    one_of("origin", FileOrigin),
    one_of("status", FileStatus),
)

parts: Final = sa.Table(
    "statement_file_parts",
    metadata,
    sa.Column("file_id", RowId, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("bytes", sa.LargeBinary, nullable=False),
)


def list_sellers(tx: Tx) -> list[tuple[str, str]]:
    """Every Alipay account that somebody here collects for: environment and seller."""
    c = merchants.c
    wanted = sa.select(c.environment, c.seller_id).where(c.retired_at.is_(None)).distinct()
    return [(row.environment, row.seller_id) for row in tx.execute(wanted)]


_SELLERS_WITHOUT: Final = (
    sa.select(merchants.c.environment, merchants.c.seller_id)
    .where(
        merchants.c.retired_at.is_(None),
        ~sa.exists().where(
            statements.c.environment == merchants.c.environment,
            statements.c.seller_id == merchants.c.seller_id,
        ),
    )
    .distinct()
)


def list_sellers_without(tx: Tx) -> list[tuple[str, str]]:
    """Those of whom no bill was ever expected."""
    return [(row.environment, row.seller_id) for row in tx.execute(_SELLERS_WITHOUT)]


def merchant_of_seller(tx: Tx, environment: str, seller_id: str) -> tuple[int, int] | None:
    """The oldest merchant of an Alipay account, in whose name its bills are asked for, and its App's row."""
    c = merchants.c
    wanted = (
        sa.select(c.id, c.app_row)
        .where(c.environment == environment, c.seller_id == seller_id, c.retired_at.is_(None))
        .order_by(c.id)
        .limit(1)
    )
    row = tx.execute(wanted).first()
    return None if row is None else (row.id, row.app_row)


def insert_statement(tx: Tx, values: Mapping[str, Any]) -> int | None:
    """Makes the place for a bill; ``None`` if it is there."""
    new = insert_ignoring(tx, statements, [values], statements.c.id)
    return int(new[0]) if new else None


def find_statement(
    tx: Tx, environment: str, seller_id: str, kind: str, period: str, *, lock: bool = False
) -> Statement | None:
    """The bill of that account, kind and time."""
    c = statements.c
    wanted = sa.select(statements).where(
        c.environment == environment,
        c.seller_id == seller_id,
        c.kind == kind,
        c.period == period,
    )
    row = tx.execute(wanted.with_for_update() if lock else wanted).mappings().first()
    return None if row is None else _statement_of(row)


def find_before(tx: Tx, statement: Statement) -> Statement | None:
    """The last day's bill before ``statement`` that was read, of its account and kind."""
    c = statements.c
    wanted = sa.select(statements).where(
        c.environment == statement.environment,
        c.seller_id == statement.seller_id,
        c.kind == statement.kind.value,
        c.period < statement.period,
        c.status == StatementStatus.READY.value,
        sa.func.length(c.period) == DAY,
    )
    row = tx.execute(wanted.order_by(c.period.desc()).limit(1)).mappings().first()
    return None if row is None else _statement_of(row)


def find_by_id(tx: Tx, statement_id: int, *, lock: bool = False) -> Statement | None:
    """The statement of that row."""
    wanted = sa.select(statements).where(statements.c.id == statement_id)
    row = tx.execute(wanted.with_for_update() if lock else wanted).mappings().first()
    return None if row is None else _statement_of(row)


def list_statements(
    tx: Tx, environment: str, seller_id: str, first: str, last: str
) -> list[Statement]:
    """The account's bills from ``first`` to ``last``, newest first."""
    c = statements.c
    wanted = sa.select(statements).where(
        c.environment == environment, c.seller_id == seller_id, c.period.between(first, last)
    )
    rows = tx.execute(wanted.order_by(c.period.desc(), c.kind)).mappings()
    return [_statement_of(row) for row in rows]


def update_statement(tx: Tx, statement_id: int, **values: Any) -> None:
    """Writes columns of one statement."""
    tx.execute(sa.update(statements).where(statements.c.id == statement_id).values(**values))


def claim_due(
    tx: Tx, now: datetime, lease_until: datetime, rows_max: int, /
) -> Sequence[tuple[int, int, int]]:
    """Claims statements that are due: the row, the attempt it was given last, and its App's row."""
    c, m = statements.c, merchants.c
    app = (
        sa.select(sa.func.min(m.app_row))
        .where(m.environment == c.environment, m.seller_id == c.seller_id, m.retired_at.is_(None))
        .scalar_subquery()
    )
    wanted = (
        sa.select(c.id, c.attempt, app.label("app_row"))
        .where(c.due_at <= now)
        .order_by(c.due_at)
        .limit(rows_max)
        .with_for_update(skip_locked=True, of=statements)
    )
    found = [(row.id, row.attempt, row.app_row) for row in tx.execute(wanted)]
    if found:
        claimed = c.id.in_([row_id for row_id, _, _ in found])
        tx.execute(sa.update(statements).where(claimed).values(due_at=lease_until))
    # An account that nobody collects for any more has nobody in whose name to ask.
    return [row for row in found if row[2] is not None]


def list_days_due(tx: Tx, now: datetime) -> list[Statement]:
    """The bills of days that are due."""
    c = statements.c
    wanted = sa.select(statements).where(c.due_at <= now, sa.func.length(c.period) == DAY)
    return [_statement_of(row) for row in tx.execute(wanted).mappings()]


def count_attempts(tx: Tx, row_ids: Collection[int], /) -> None:
    """Counts one attempt more for each of these statements."""
    if row_ids:
        chosen = statements.c.id.in_(row_ids)
        tx.execute(sa.update(statements).where(chosen).values(attempt=statements.c.attempt + 1))


_EARLIEST_DUE: Final = earliest_of(statements.c.due_at)


def earliest_due(tx: Tx, /) -> datetime | None:
    """When the next bill is asked for."""
    return tx.execute(_EARLIEST_DUE).scalar()


def insert_file(tx: Tx, values: Mapping[str, Any]) -> int | None:
    """Writes down a file; ``None`` if the statement has one with the same bytes."""
    new = insert_ignoring(tx, files, [values], files.c.id)
    return int(new[0]) if new else None


def find_file(tx: Tx, file_id: int) -> StatementFile | None:
    """The file of that row."""
    row = tx.execute(sa.select(files).where(files.c.id == file_id)).mappings().first()
    return None if row is None else _file_of(row)


def find_file_with(tx: Tx, statement_id: int, sha256: str) -> StatementFile | None:
    """The statement's file with those bytes."""
    c = files.c
    wanted = sa.select(files).where(c.statement_id == statement_id, c.sha256 == sha256)
    row = tx.execute(wanted).mappings().first()
    return None if row is None else _file_of(row)


def list_files(tx: Tx, statement_id: int) -> list[StatementFile]:
    """Every file of a statement, newest first."""
    wanted = sa.select(files).where(files.c.statement_id == statement_id)
    return [_file_of(row) for row in tx.execute(wanted.order_by(files.c.id.desc())).mappings()]


def list_files_of(tx: Tx, statement_ids: Collection[int]) -> dict[int, list[StatementFile]]:
    """The files of several statements, newest first, by their statement."""
    found: dict[int, list[StatementFile]] = {}
    wanted = sa.select(files).where(files.c.statement_id.in_(statement_ids))
    for row in tx.execute(wanted.order_by(files.c.id.desc())).mappings():
        found.setdefault(row["statement_id"], []).append(_file_of(row))
    return found


def find_file_of_account(
    tx: Tx, environment: str, seller_id: str, public_id: str
) -> StatementFile | None:
    """The file of that id, if it is the account's."""
    c = statements.c
    wanted = (
        sa.select(files)
        .join(statements, c.id == files.c.statement_id)
        .where(
            files.c.public_id == public_id, c.environment == environment, c.seller_id == seller_id
        )
    )
    row = tx.execute(wanted).mappings().first()
    return None if row is None else _file_of(row)


def update_file(tx: Tx, file_id: int, **values: Any) -> None:
    """Writes columns of one file."""
    tx.execute(sa.update(files).where(files.c.id == file_id).values(**values))


def put_part(tx: Tx, file_id: int, number: int, content: bytes) -> None:
    """Keeps one piece of a file."""
    tx.execute(sa.insert(parts).values(file_id=file_id, number=number, bytes=content))


def read_parts(tx: Tx, file_id: int) -> Iterator[bytes]:
    """The pieces of a file, one after the other."""
    number = 0
    while True:
        wanted = sa.select(parts.c.bytes).where(
            parts.c.file_id == file_id, parts.c.number == number
        )
        piece = tx.execute(wanted).scalar()
        if piece is None:
            return
        yield piece
        number += 1


def _statement_of(row: Mapping[Any, Any]) -> Statement:
    fields: dict[str, Any] = {name: row[name] for name in Statement.__dataclass_fields__}
    fields["kind"] = StatementKind(row["kind"])
    fields["status"] = StatementStatus(row["status"])
    return Statement(**fields)


def _file_of(row: Mapping[Any, Any]) -> StatementFile:
    fields: dict[str, Any] = {name: row[name] for name in StatementFile.__dataclass_fields__}
    fields["origin"] = FileOrigin(row["origin"])
    fields["status"] = FileStatus(row["status"])
    return StatementFile(**fields)
