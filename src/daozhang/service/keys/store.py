"""Drafts and changes of keys as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.db import Moment, RowId, Tx, insert_ignoring, metadata, one_of
from daozhang.service.keys.model import ChangeKind, ChangeStatus, KeyChange
from daozhang.service.merchants.model import CheckResult

_WAITING = sa.text("status = 'waiting'")

drafts = sa.Table(
    "app_drafts",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("public_id", sa.String(32), nullable=False, unique=True),
    sa.Column("person_id", RowId, sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("content_sealed", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
)

changes = sa.Table(
    "key_changes",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("public_id", sa.String(32), nullable=False, unique=True),
    sa.Column("app_row", RowId, sa.ForeignKey("apps.id"), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("public_key", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("app_cert", sa.Text),
    sa.Column("alipay_cert", sa.Text),
    sa.Column("alipay_root_cert", sa.Text),
    sa.Column("private_key_sealed", sa.LargeBinary),
    sa.Column("proved_at", Moment),
    sa.Column("checked_at", Moment),
    sa.Column("check_result", sa.String(16)),
    sa.Column("check_detail", sa.Text),
    sa.Column("ask_at", Moment),
    sa.Column("approval_id", sa.String(32)),
    sa.Column("asked_by", sa.String(96), nullable=False),
    sa.Column("asked_name", sa.String(254), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    one_of("kind", ChangeKind),
    one_of("status", ChangeStatus),
    # One new key of a kind waits at a time.
    sa.Index(
        "uq_key_changes_waiting",
        "app_row",
        "kind",
        unique=True,
        postgresql_where=_WAITING,
        sqlite_where=_WAITING,
    ),
)


def insert_draft(tx: Tx, values: dict[str, Any]) -> None:
    """Writes a draft."""
    tx.execute(sa.insert(drafts).values(values))


def update_draft(tx: Tx, public_id: str, content_sealed: bytes) -> None:
    """Writes what is known by now."""
    of_it = drafts.c.public_id == public_id
    tx.execute(sa.update(drafts).where(of_it).values(content_sealed=content_sealed))


def find_draft(tx: Tx, public_id: str, *, lock: bool = False) -> sa.Row[Any] | None:
    """The row of a draft."""
    wanted = sa.select(drafts).where(drafts.c.public_id == public_id)
    return tx.execute(wanted.with_for_update() if lock else wanted).first()


def list_drafts(tx: Tx, person_id: int) -> list[sa.Row[Any]]:
    """The rows of somebody's drafts, oldest first."""
    wanted = sa.select(drafts).where(drafts.c.person_id == person_id).order_by(drafts.c.id)
    return list(tx.execute(wanted).all())


def delete_draft(tx: Tx, public_id: str) -> None:
    """Forgets a draft."""
    tx.execute(sa.delete(drafts).where(drafts.c.public_id == public_id))


def forget_drafts(tx: Tx, before: datetime) -> None:
    """Forgets those that nobody has finished for long."""
    tx.execute(sa.delete(drafts).where(drafts.c.created_at < before))


def insert_change(tx: Tx, values: dict[str, Any]) -> bool:
    """Writes a change; False if one of that kind waits already."""
    return bool(insert_ignoring(tx, changes, [values], changes.c.id))


def update_change(tx: Tx, public_id: str, **values: Any) -> None:
    """Changes columns of a change."""
    tx.execute(sa.update(changes).where(changes.c.public_id == public_id).values(**values))


def find_change(tx: Tx, public_id: str, *, lock: bool = False) -> KeyChange | None:
    """One change."""
    wanted = sa.select(changes).where(changes.c.public_id == public_id)
    row = tx.execute(wanted.with_for_update() if lock else wanted).first()
    return None if row is None else _change(row)


def list_changes(tx: Tx, app_row: int, rows_max: int) -> list[KeyChange]:
    """The changes of an app's keys, newest first."""
    wanted = sa.select(changes).where(changes.c.app_row == app_row)
    return [
        _change(row) for row in tx.execute(wanted.order_by(changes.c.id.desc()).limit(rows_max))
    ]


def list_waiting(tx: Tx) -> list[KeyChange]:
    """All that wait, of all apps."""
    return [_change(row) for row in tx.execute(sa.select(changes).where(_WAITING))]


def claim_due(tx: Tx, now: datetime, until: datetime, rows_max: int) -> list[KeyChange]:
    """Those about which Alipay is to be asked now; nobody else gets them before ``until``."""
    wanted = sa.select(changes).where(_WAITING, changes.c.ask_at <= now)
    rows = tx.execute(wanted.limit(rows_max).with_for_update(skip_locked=True)).all()
    found = [_change(row) for row in rows]
    for change in found:
        update_change(tx, change.id, ask_at=until)
    return found


_EARLIEST_ASK: Final = sa.select(sa.func.min(changes.c.ask_at)).where(_WAITING)


def earliest_ask(tx: Tx) -> datetime | None:
    """When Alipay is asked next about one of them."""
    return tx.execute(_EARLIEST_ASK).scalar_one()


def _change(row: sa.Row[Any]) -> KeyChange:
    return KeyChange(
        id=row.public_id,
        app_row=row.app_row,
        kind=ChangeKind(row.kind),
        status=ChangeStatus(row.status),
        public_key=row.public_key,
        fingerprint=row.fingerprint,
        app_cert=row.app_cert,
        alipay_cert=row.alipay_cert,
        alipay_root_cert=row.alipay_root_cert,
        private_key_sealed=row.private_key_sealed,
        proved_at=row.proved_at,
        checked_at=row.checked_at,
        check_result=None if row.check_result is None else CheckResult(row.check_result),
        check_detail=row.check_detail,
        ask_at=row.ask_at,
        approval_id=row.approval_id,
        asked_by=row.asked_by,
        asked_name=row.asked_name,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )
