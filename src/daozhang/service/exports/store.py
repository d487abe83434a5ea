"""Exports and the pieces of their files, as rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.db import Json, Moment, RowId, Tx, metadata, one_of
from daozhang.service.exports.model import Export, ExportFormat, ExportStatus

exports: Final = sa.Table(
    "exports",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("public_id", sa.String(32), nullable=False, unique=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("format", sa.String(8), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("sought", Json, nullable=False),
    sa.Column("words", Json, nullable=False),
    sa.Column("rows_done", RowId, nullable=False),
    sa.Column("percent", sa.Integer, nullable=False),
    sa.Column("bytes_count", RowId, nullable=False),
    sa.Column("requested_by", sa.String(96), nullable=False),
    sa.Column("requested_name", sa.String(254), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index("ix_exports_merchant_id", "merchant_id", "id"),
    one_of("format", ExportFormat),
    one_of("status", ExportStatus),
)

parts: Final = sa.Table(
    "export_parts",
    metadata,
    sa.Column("export_id", RowId, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("bytes", sa.LargeBinary, nullable=False),
)

_OPEN: Final = exports.c.status.in_((ExportStatus.WAITING.value, ExportStatus.RUNNING.value))


def insert_export(tx: Tx, values: Mapping[str, Any]) -> Export:
    """The new export."""
    row = tx.execute(sa.insert(exports).values(**values).returning(exports))
    return _export_of(row.mappings().one())


def update_export(tx: Tx, export_id: int, **values: Any) -> None:
    """Writes columns of one export."""
    tx.execute(sa.update(exports).where(exports.c.id == export_id).values(**values))


def find_by_id(tx: Tx, export_id: int) -> Export | None:
    """The export of that row."""
    row = tx.execute(sa.select(exports).where(exports.c.id == export_id)).mappings().first()
    return None if row is None else _export_of(row)


def find_export(tx: Tx, merchant_id: int, public_id: str) -> Export | None:
    """The merchant's export of that id."""
    wanted = sa.select(exports).where(
        exports.c.merchant_id == merchant_id, exports.c.public_id == public_id
    )
    row = tx.execute(wanted).mappings().first()
    return None if row is None else _export_of(row)


def list_exports(tx: Tx, merchant_id: int, rows_max: int) -> list[Export]:
    """The merchant's exports, newest first."""
    wanted = sa.select(exports).where(exports.c.merchant_id == merchant_id)
    rows = tx.execute(wanted.order_by(exports.c.id.desc()).limit(rows_max)).mappings()
    return [_export_of(row) for row in rows]


def put_part(tx: Tx, export_id: int, number: int, content: bytes) -> None:
    """Keeps one piece of the file."""
    tx.execute(sa.insert(parts).values(export_id=export_id, number=number, bytes=content))


def read_part(tx: Tx, export_id: int, number: int) -> bytes | None:
    """One piece of the file; ``None`` behind its end."""
    wanted = sa.select(parts.c.bytes).where(
        parts.c.export_id == export_id, parts.c.number == number
    )
    return tx.execute(wanted).scalar()


def delete_parts(tx: Tx, export_id: int) -> None:
    """Forgets the file."""
    tx.execute(sa.delete(parts).where(parts.c.export_id == export_id))


def list_over(tx: Tx, now: datetime, stale_before: datetime, rows_max: int) -> list[Export]:
    """Those whose time is over, and those that have not moved since ``stale_before``."""
    kept = exports.c.status == ExportStatus.DONE.value
    over = (kept & (exports.c.expires_at <= now)) | (_OPEN & (exports.c.updated_at <= stale_before))
    rows = tx.execute(sa.select(exports).where(over).limit(rows_max).with_for_update()).mappings()
    return [_export_of(row) for row in rows]


_EARLIEST_OVER: Final = sa.select(sa.func.min(exports.c.expires_at)).where(
    exports.c.status == ExportStatus.DONE.value
)
_EARLIEST_MOVED: Final = sa.select(sa.func.min(exports.c.updated_at)).where(_OPEN)


def earliest_over(tx: Tx) -> tuple[datetime | None, datetime | None]:
    """When the first file's time is over, and when the open one that moved longest ago did."""
    return tx.execute(_EARLIEST_OVER).scalar(), tx.execute(_EARLIEST_MOVED).scalar()


def _export_of(row: Mapping[Any, Any]) -> Export:
    fields: dict[str, Any] = {name: row[name] for name in Export.__dataclass_fields__}
    fields["format"] = ExportFormat(row["format"])
    fields["status"] = ExportStatus(row["status"])
    return Export(**fields)
