"""The disk, the database and what is sealed in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from daozhang.service.copying import unopened
from daozhang.service.db import Tx
from daozhang.service.doctor.model import Finding, fail, ok, warn
from daozhang.service.migrations import Standing, standing
from daozhang.service.settings import Settings
from daozhang.service.watch.reading import read_consents
from daozhang.service.watch.rules import STEPS_LATE_SECONDS
from daozhang.service.web.context import Context

DISK_BYTES_MIN: Final = 500 * 1024**2
"""Below this a night's notifications may not fit any more."""

DISK_BYTES_SOON: Final = 5 * 1024**3


def check_places(settings: Settings) -> Iterator[Finding]:
    """The files that must be there before anything is opened: nothing is made by looking."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        yield fail(
            "database.reachable",
            str(url.database),
            "There is no database. Is DAOZHANG_DATA_DIR right? For a new deployment run: "
            "daozhang migrate",
            "数据库文件不存在. 请核对 DAOZHANG_DATA_DIR; 新部署请先运行: daozhang migrate",
        )
    if settings.sealing_keys is None and not settings.sealing_keys_file.is_file():
        yield fail(
            "sealing.keys",
            str(settings.sealing_keys_file),
            "There are no sealing keys. Put the file back, or set DAOZHANG_SEALING_KEYS; for a new "
            "deployment run: daozhang migrate",
            "找不到封存密钥. 请放回该文件或设置 DAOZHANG_SEALING_KEYS; 新部署请先运行: "
            "daozhang migrate",
        )


def check_disk(settings: Settings, database: str | None) -> Finding:
    """The room left where the database is; on PostgreSQL, where our own files are."""
    place = Path(database).parent if database else settings.data_dir
    there = next(part for part in (place.absolute(), *place.absolute().parents) if part.exists())
    free = shutil.disk_usage(there).free
    size = f"{free / 1024**3:.1f} GiB"
    if free < DISK_BYTES_SOON:
        say = fail if free < DISK_BYTES_MIN else warn
        return say(
            "disk",
            str(there),
            f"{size} are free: make room, or notifications cannot be recorded soon.",
            f"剩余空间 {size}: 请清理或扩容, 否则将无法记录通知.",
        )
    return ok("disk", str(there), f"{size} are free.", f"剩余空间 {size}.")


def check_database(context: Context) -> Iterator[Finding]:
    """Reachable, of this version, and what it says is written is on the disk."""
    where = _shown(context)
    try:
        now = standing(context.database)
    except SQLAlchemyError as error:
        yield fail(
            "database.reachable",
            where,
            f"It cannot be reached ({type(error).__name__}): is it running, and is "
            "DAOZHANG_DATABASE_URL right?",
            "无法连接数据库: 请确认其已启动, 且 DAOZHANG_DATABASE_URL 正确.",
        )
        return
    yield ok("database.reachable", where, "It answers.", "可以连接.")
    yield _migrated(now, where)
    with context.database.read() as tx:
        is_sqlite = tx.dialect == "sqlite"
        yield from _sqlite_durable(tx, where) if is_sqlite else _postgresql_durable(tx, where)


def _migrated(now: Standing, where: str) -> Finding:
    if now is Standing.CURRENT:
        return ok(
            "database.migrated", where, "Its tables are of this version.", "表结构为当前版本."
        )
    if now is Standing.NEWER:
        return warn(
            "database.migrated",
            where,
            "Its tables are of a later version, and this one may go on for a while: finish the "
            "upgrade.",
            "表结构来自更新版本, 当前版本可暂时继续运行: 请完成升级.",
        )
    if now is Standing.TOO_NEW:
        return fail(
            "database.migrated",
            where,
            "Its tables are of a later version, on which this one cannot work: start that version.",
            "表结构来自更新版本, 当前版本无法使用: 请启动该版本.",
        )
    return fail(
        "database.migrated",
        where,
        "Its tables are older than this version; run: daozhang migrate",
        "表结构早于当前版本, 请运行: daozhang migrate",
    )


def check_seals(context: Context) -> Finding:
    """Whether the present sealing keys open what is sealed."""
    shut = unopened(context.database, context.sealer)
    where = f"key {context.sealer.current_key_id}"
    if shut:
        listed = ", ".join(shut)
        return fail(
            "sealing.keys",
            where,
            f"The sealing keys here do not open {listed}: put the older keys back below the "
            "current one.",
            f"当前封存密钥无法打开 {listed}: 请把旧密钥放回文件(排在当前密钥之后).",
        )
    return ok("sealing.keys", where, "They open what is sealed.", "可以打开已封存的内容.")


def _shown(context: Context) -> str:
    return make_url(context.database.url).render_as_string(hide_password=True)


def _sqlite_durable(tx: Tx, where: str) -> Iterator[Finding]:
    found = {name: _one(tx, f"PRAGMA {name}") for name in ("journal_mode", "synchronous")}
    # 2 is FULL, 3 EXTRA.
    if found["journal_mode"] != "wal" or found["synchronous"] not in (2, 3):
        yield fail(
            "database.durable",
            where,
            f"It runs with {found}, not WAL and synchronous=FULL: is it on a network file system? "
            "Move it to a local disk.",
            "未以 WAL 与 synchronous=FULL 运行: 若在网络文件系统上, 请移到本地磁盘.",
        )
    else:
        yield ok(
            "database.durable",
            where,
            "WAL, synchronous=FULL: what is acknowledged is on the disk.",
            "WAL 且 synchronous=FULL: 已确认的内容均已落盘.",
        )


def _postgresql_durable(tx: Tx, where: str) -> Iterator[Finding]:
    names = ("fsync", "synchronous_commit", "full_page_writes")
    found = {name: _one(tx, f"SHOW {name}") for name in names}
    if "off" in found.values():
        listed = ", ".join(f"{name}=off" for name, value in found.items() if value == "off")
        yield fail(
            "database.durable",
            where,
            f"PostgreSQL runs with {listed}: acknowledged payments are lost when it falls. Turn "
            "them on (in postgresql.conf, or where ALTER ROLE/DATABASE set them).",
            f"PostgreSQL 设置了 {listed}: 宕机时会丢失已确认的付款, 请改为 on.",
        )
    else:
        yield ok(
            "database.durable",
            where,
            f"fsync and full_page_writes are on, synchronous_commit={found['synchronous_commit']}.",
            f"fsync 与 full_page_writes 已开启, synchronous_commit={found['synchronous_commit']}.",
        )
    yield from _replicas(tx, where)


def _replicas(tx: Tx, where: str) -> Iterator[Finding]:
    rows = tx.execute(sa.text("SELECT sync_state FROM pg_stat_replication")).all()
    states = [str(row[0]) for row in rows]
    if rows and not {"sync", "quorum"}.intersection(states):
        seen = "asynchronous" if "async" in states else "not seen by this role (pg_monitor)"
        yield warn(
            "database.replicas",
            where,
            f"{len(rows)} replicas, {seen}: a failover to an asynchronous one loses acknowledged "
            "payments. Set synchronous_standby_names, or run daozhang recover after a failover.",
            f"{len(rows)} 个副本均未确认为同步: 切换到异步副本会丢失已确认的付款. 请设置 "
            "synchronous_standby_names, 或在切换后运行 daozhang recover.",
        )
    elif rows:
        yield ok("database.replicas", where, "A replica is synchronous.", "存在同步副本.")


def _one(tx: Tx, statement: str) -> Any:
    return tx.execute(sa.text(statement)).scalar_one()


def check_steps(context: Context) -> Finding:
    """Whether holds, agreements, charges and payments at the till are worked off."""
    now = context.clock.now()
    with context.database.read() as tx:
        consents = read_consents(tx, now)
    unwatched = {kind: count for kind, count in consents.unwatched.items() if count}
    if unwatched:
        what = ", ".join(f"{count} {kind}" for kind, count in sorted(unwatched.items()))
        return fail(
            "steps",
            what,
            "These are open and have no next step, which is a bug of ours: ask with POST .../query of "
            "each hold or agreement, and report it.",
            "这些记录未完成且没有下一步, 属程序错误: 请逐笔调用 .../query 查询并报告.",
        )
    late = {
        kind: now - at
        for kind, at in consents.late.items()
        if (now - at).total_seconds() >= STEPS_LATE_SECONDS
    }
    if late:
        minutes = max(late.values()).total_seconds() / 60
        return warn(
            "steps",
            ", ".join(sorted(late)),
            f"Their next steps are {minutes:.0f} minutes late: is daozhang serve running?",
            f"后续步骤已延误 {minutes:.0f} 分钟: 请确认 daozhang serve 正在运行.",
        )
    return ok("steps", "all", "Nothing is late.", "没有延误.")
