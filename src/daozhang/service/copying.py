"""Keeping: a copy of the database that can be trusted, and the way back from it.

SQLite is copied while the service runs, in one snapshot, and proved before it gets its name.
PostgreSQL has tools of its own; here they are told for the configured database, without its
password. The sealing keys are never in a copy: whoever holds both can read every secret.
"""

from __future__ import annotations

import os
import shlex
import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from daozhang.service.db import Database
from daozhang.service.migrations import revisions
from daozhang.service.refusals import Refusal
from daozhang.service.resealing import SEALED, Sealed
from daozhang.service.seal import SealBroken, Sealer

_SIDE_FILES: Final = ("-wal", "-shm", "-journal")


class BackupRefused(Refusal):
    """No copy was made, and nothing was changed."""

    code = "backup_refused"
    title = "No backup was made"


class RestoreRefused(Refusal):
    """Nothing was restored, and nothing was changed."""

    code = "restore_refused"
    title = "Nothing was restored"


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was proved: whole, with the same rows as its source had in that moment."""

    path: Path
    bytes_count: int
    revision: str
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place. ``unopened`` names each sealed column that does not open here."""

    path: Path
    revision: str
    is_current: bool
    rows: dict[str, int]
    set_aside: Path | None
    unopened: tuple[str, ...]


def backup_database(database: Database, target: Path) -> Backup:
    """Copies SQLite to ``target`` while others read and write. Raises `BackupRefused`.

    The copy is one moment of the database, mode 0600, on the disk when this returns; a name
    that is taken is never written over.
    """
    if database.dialect == "postgresql":
        raise BackupRefused(*_postgresql_backup(database.url, target))
    source = sqlite_path(database)
    if not source.is_file():
        raise BackupRefused(
            f"There is no database at {source}; check DAOZHANG_DATA_DIR and DAOZHANG_DATABASE_URL.",
            f"{source} 不存在, 请检查 DAOZHANG_DATA_DIR 与 DAOZHANG_DATABASE_URL.",
        )
    if target.exists():
        raise BackupRefused(
            f"{target} exists and is not written over; give another name.",
            f"{target} 已存在, 不会被覆盖, 请换一个文件名.",
        )
    if not target.parent.is_dir():
        raise BackupRefused(
            f"The directory {target.parent} does not exist; make it first.",
            f"目录 {target.parent} 不存在, 请先创建.",
        )
    with _temporary(target) as temporary:
        try:
            counted = _copy(source, temporary)
            rows = _prove(temporary)
        except sqlite3.Error as error:
            raise BackupRefused(
                f"{source} could not be copied to {target.parent}: {error}",
                f"无法将 {source} 备份到 {target.parent}: {error}",
            ) from error
        if rows != counted:
            raise BackupRefused(
                f"The copy of {source} does not have the rows of its source; try again.",
                f"{source} 的备份与原库行数不一致, 请重试.",
            )
        revision = _revision(temporary)
        if revision is None:
            raise BackupRefused(
                f"{source} is no migrated database of daozhang; run: daozhang migrate",
                f"{source} 不是已初始化的 daozhang 数据库, 请先运行: daozhang migrate",
            )
        _sync(temporary)
        try:
            os.link(temporary, target)  # unlike a rename, this never replaces
        except FileExistsError:
            raise BackupRefused(
                f"{target} came to exist meanwhile and is not written over; give another name.",
                f"{target} 在备份期间被创建, 不会被覆盖, 请换一个文件名.",
            ) from None
        _sync(target.parent)
    return Backup(target, target.stat().st_size, revision, rows)


def restore_database(
    database: Database, sealer: Sealer, backup: Path, *, replace: bool, now: datetime
) -> Restored:
    """Puts ``backup`` in the place of the configured SQLite database. Raises `RestoreRefused`.

    With ``replace`` a database that is there is kept under another name. Refuses while anything
    has it open, and a copy that is damaged or of a later version of the code.
    """
    if database.dialect == "postgresql":
        raise RestoreRefused(*_postgresql_restore(database.url, backup))
    target = sqlite_path(database)
    _refuse_places(backup, target, replace=replace)
    with _temporary(target) as temporary:
        try:
            _copy(backup, temporary)
            rows = _prove(temporary)
        except sqlite3.Error as error:
            raise RestoreRefused(
                f"{backup} is damaged or no SQLite database: {error}",
                f"{backup} 已损坏或不是 SQLite 数据库: {error}",
            ) from error
        revision = _known_revision(backup, temporary)
        unopened = _unopened(temporary, sealer)
        _sync(temporary)
        set_aside = None
        with _held_alone(target):
            if target.exists():
                set_aside = target.with_name(f"{target.name}.before-{now:%Y%m%dT%H%M%SZ}")
                if set_aside.exists():
                    raise RestoreRefused(
                        f"{set_aside} exists already; wait a second and repeat.",
                        f"{set_aside} 已存在, 请稍后重试.",
                    )
                target.rename(set_aside)
            temporary.rename(target)
            _sync(target.parent)
    return Restored(target, revision, revision == revisions()[-1], rows, set_aside, tuple(unopened))


def sqlite_path(database: Database) -> Path:
    """The file of a SQLite database."""
    return Path(database.engine.url.database or "")


def _refuse_places(backup: Path, target: Path, *, replace: bool) -> None:
    if not backup.is_file():
        raise RestoreRefused(f"There is no file {backup}.", f"文件 {backup} 不存在.")
    if target.exists():
        if target.samefile(backup):
            raise RestoreRefused(
                f"{backup} is the database itself; give a backup.",
                f"{backup} 就是当前数据库, 请指定备份文件.",
            )
        if not replace:
            raise RestoreRefused(
                f"There is a database at {target}; --replace keeps it under another name and "
                "puts the backup in its place.",
                f"{target} 已有数据库; 加上 --replace 会将其改名保留, 再放入备份.",
            )
        return
    left = [side for end in _SIDE_FILES if (side := Path(f"{target}{end}")).exists()]
    if left:
        raise RestoreRefused(
            f"{left[0]} is left of a database that is gone, and would spoil the restored one; "
            "move it away first.",
            f"{left[0]} 属于已不存在的数据库, 会破坏恢复结果, 请先移走.",
        )


@contextmanager
def _temporary(target: Path) -> Generator[Path]:
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # 0600
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        for end in ("", *_SIDE_FILES):
            Path(f"{name}{end}").unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> dict[str, int]:
    """Copies one snapshot; the rows of each table that it has."""
    address = f"{source.resolve().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True, isolation_level=None)) as reader,
        closing(sqlite3.connect(target, isolation_level=None)) as writer,
    ):
        # Inside this read transaction both the counts and the copy see the same moment.
        reader.execute("BEGIN")
        counted = _count_rows(reader)
        reader.backup(writer)
        reader.execute("COMMIT")
        # One file that is complete by itself: no -wal beside it can be forgotten.
        writer.execute("PRAGMA journal_mode=DELETE")
    return counted


def _prove(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        if (broken := connection.execute("PRAGMA foreign_key_check").fetchone()) is not None:
            raise sqlite3.DatabaseError(f"a row of {broken[0]} has lost what it belongs to")
        return _count_rows(connection)


def _count_rows(connection: sqlite3.Connection) -> dict[str, int]:
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    return {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - its own table's name
        for (name,) in sorted(names)
    }


def _revision(path: Path) -> str | None:
    # By hand: an engine of ours would turn the copy to WAL, and its file would be one of three.
    with closing(sqlite3.connect(path)) as connection:
        if "alembic_version" not in _count_rows(connection):
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])


def _known_revision(backup: Path, copy: Path) -> str:
    revision = _revision(copy)
    if revision is None:
        raise RestoreRefused(
            f"{backup} is no backup of daozhang: it has no revision.",
            f"{backup} 不是 daozhang 的备份: 缺少版本信息.",
        )
    if revision not in revisions():
        raise RestoreRefused(
            f"{backup} has revision {revision}, which this version of daozhang does not know; "
            "install the version that made it, or a later one.",
            f"{backup} 的版本 {revision} 高于当前程序, 请安装生成该备份的版本或更新版本.",
        )
    return revision


def _unopened(path: Path, sealer: Sealer) -> list[str]:
    database = Database(f"sqlite:///{path}")
    try:
        return unopened(database, sealer)
    finally:
        database.dispose()


def unopened(database: Database, sealer: Sealer) -> list[str]:
    """The sealed columns whose oldest or newest value the present keys do not open."""
    with database.read() as tx:
        there = sa.inspect(tx.connection)
        return [
            f"{sealed.column.table.name}.{sealed.column.name}"
            for sealed in SEALED
            if there.has_table(sealed.column.table.name)
            and not _opens(tx.connection, sealed, sealer)
        ]


def _opens(connection: sa.Connection, sealed: Sealed, sealer: Sealer) -> bool:
    table, column = sealed.column.table.name, sealed.column.name
    for order in ("ASC", "DESC"):
        row = connection.exec_driver_sql(
            # Every column that the row has: a backup of an older revision may have fewer.
            f'SELECT * FROM "{table}" WHERE length("{column}") > 0 ORDER BY id {order} LIMIT 1'  # noqa: S608 - our own names
        ).first()
        if row is None:
            return True
        try:
            sealer.open(getattr(row, column), sealed.bound_to(row))
        except SealBroken:
            return False
    return True


@contextmanager
def _held_alone(target: Path) -> Generator[None]:
    """Nobody else has the database open, and its log is folded in; refuses otherwise."""
    if not target.exists():
        yield
        return
    with closing(sqlite3.connect(target, timeout=0, isolation_level=None)) as connection:
        try:
            # SQLite leaves WAL only for whoever is alone: an idle connection is seen as well.
            mode = connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise RestoreRefused(
                f"{target} is in use ({error}); stop the service first.",
                f"{target} 正在使用中, 请先停止服务.",
            ) from error
        except sqlite3.DatabaseError:
            mode = "delete"  # damaged beyond opening: nobody serves from it, and it is kept aside
        if mode != "delete":
            raise RestoreRefused(
                f"{target} is in use; stop the service first.",
                f"{target} 正在使用中, 请先停止服务.",
            )
        yield


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _postgresql_place(address: str) -> str:
    url = make_url(address)
    parts = {"--host": url.host, "--port": url.port, "--username": url.username}
    return " ".join(f"{flag} {shlex.quote(str(it))}" for flag, it in parts.items() if it)


def _postgresql_backup(address: str, target: Path) -> tuple[str, str]:
    name = shlex.quote(make_url(address).database or "")
    dump = (
        f"pg_dump --format=custom --no-owner --file {shlex.quote(str(target))} "
        f"{_postgresql_place(address)} {name}"
    )
    return (
        "PostgreSQL makes its own backups, while the service runs (the password comes from "
        f"~/.pgpass or PGPASSWORD):\n  {dump}\nFor the way back to any moment, archive its log "
        f"and copy the server:\n  pg_basebackup --pgdata DIRECTORY {_postgresql_place(address)}",
        f"PostgreSQL 请用其自带工具备份, 服务无需停止(密码取自 ~/.pgpass 或 PGPASSWORD):\n  {dump}",
    )


def _postgresql_restore(address: str, backup: Path) -> tuple[str, str]:
    name, place = shlex.quote(make_url(address).database or ""), _postgresql_place(address)
    steps = (
        f"  createdb {place} {name}\n  pg_restore --exit-on-error --single-transaction --no-owner "
        f"{place} --dbname {name} {shlex.quote(str(backup))}\n  daozhang migrate"
    )
    return (
        f"PostgreSQL is restored with its own tools, into an empty database, while the service is "
        f"stopped:\n{steps}\nThen ask Alipay about every order that was open.",
        f"PostgreSQL 请在服务停止后用其自带工具恢复到空库:\n{steps}\n之后请向支付宝查询所有未完结订单.",
    )
