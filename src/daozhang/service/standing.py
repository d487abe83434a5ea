"""Standing: how a database's tables stand to a version of the code, and who may work on them.

Tables that are older than the code lack what it needs. Newer ones are what a process finds around
it while a later version is put in beside it: it goes on if the revision that made them says so
(docs/decisions/0016).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from daozhang.service.db import Tx, metadata
from daozhang.service.refusals import Refusal

compatibility: Final = sa.Table(
    "schema_compatibility",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("compatible_since", sa.String(32), nullable=False),
    sa.CheckConstraint("id = 1", name="id"),
)
"""One row: the oldest revision whose code may work on the tables as they are."""


class Standing(StrEnum):
    """How tables stand to the code that looks at them."""

    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    TOO_NEW = "too_new"


FIT: Final = frozenset({Standing.CURRENT, Standing.NEWER})
"""On these the code may work."""


class NotMigrated(Refusal):
    """The tables are not there, or older than the code."""

    code = "not_migrated"
    title = "The database is not migrated"

    def __init__(self) -> None:
        super().__init__(
            "The database's tables are older than this version; run: daozhang migrate",
            "数据库表结构早于当前版本, 请先运行: daozhang migrate",
        )


class DatabaseTooNew(Refusal):
    """The tables are of a later version, which says that this one may not work on them."""

    code = "database_too_new"
    title = "The database is of a later version"

    def __init__(self) -> None:
        super().__init__(
            "The database's tables are of a later version of daozhang, on which this one cannot "
            "work: start the version that migrated it, or a later one. There is no way back but "
            "a backup from before.",
            "数据库已由更新版本的 daozhang 升级, 当前版本无法使用: 请启动执行升级的版本或更新版本; "
            "如需回退只能恢复升级前的备份.",
        )


def judge(there: str | None, known: tuple[str, ...], since: str | None) -> Standing:
    """How tables at revision ``there`` stand to code that knows ``known``, the oldest first.

    ``since`` is what the tables say of who may work on them. Revisions are numbers of one length.
    """
    if there is None or there in known[:-1]:
        return Standing.OLDER
    if there == known[-1]:
        return Standing.CURRENT
    return Standing.NEWER if since is not None and since <= known[-1] else Standing.TOO_NEW


def read_compatible_since(tx: Tx) -> str | None:
    """The oldest revision whose code may go on; ``None`` where the tables do not say."""
    if not sa.inspect(tx.connection).has_table(compatibility.name):
        return None
    return tx.execute(sa.select(compatibility.c.compatible_since)).scalar()


def write_compatible_since(connection: sa.Connection, revision: str) -> None:
    """Notes it; does nothing on tables from before it was noted."""
    if sa.inspect(connection).has_table(compatibility.name):
        connection.execute(sa.delete(compatibility))
        connection.execute(sa.insert(compatibility).values(id=1, compatible_since=revision))
