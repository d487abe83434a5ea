"""Recorded notifications and the sample of refused ones, as rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from daozhang.service.bulk import any_of, insert_rows, read_rows
from daozhang.service.db import Json, Moment, RowId, Tx, earliest_of, metadata, one_of
from daozhang.service.inbox.model import (
    FORGOTTEN,
    InboxStatus,
    RecordedNotification,
    RefusedNotification,
)
from daozhang.service.inbox.rules import MESSAGE, fact_from_json
from daozhang.service.merchants.store import merchants
from daozhang.service.orders.store import orders

NOT_APPLIED: Final = sa.text("status IN ('received', 'confirming', 'waiting', 'surprised')")
"""What the books do not hold (yet): few rows, which have an index of their own."""

IS_MESSAGE: Final = sa.text("substr(kind, 1, 8) = 'message:'")
"""What is no trade's notification (`daozhang.service.inbox.rules.MESSAGE`): an index of their own."""

REFUSED_SAMPLES_MAX: Final = 50
"""How many refused bodies are kept per merchant: strangers cannot fill the disk."""

# No foreign keys here, nor in the other tables of the hot path: docs/decisions/0011.
notifications = sa.Table(
    "inbox_notifications",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("merchant_id", RowId, nullable=False),
    sa.Column("notify_id", sa.String(128), nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("out_trade_no", sa.String(64)),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("fact", Json),
    sa.Column("body_sealed", sa.LargeBinary, nullable=False),
    sa.Column("copies", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", Moment),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("applied_at", Moment),
    sa.Column("outcome", sa.Text),
    sa.UniqueConstraint("merchant_id", "notify_id", "content_hash"),
    # Nearly every row is applied when it is written; only those that are not are looked for.
    sa.Index(
        "ix_inbox_notifications_due",
        "due_at",
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    ),
    sa.Index(
        "ix_inbox_notifications_waiting",
        "merchant_id",
        postgresql_where=sa.text("status = 'waiting'"),
        sqlite_where=sa.text("status = 'waiting'"),
    ),
    # For whoever watches: the backlog, and what Alipay sends again and again.
    sa.Index(
        "ix_inbox_notifications_not_applied",
        "status",
        "received_at",
        postgresql_where=NOT_APPLIED,
        sqlite_where=NOT_APPLIED,
    ),
    sa.Index(
        "ix_inbox_notifications_copied",
        "received_at",
        "copies",
        postgresql_where=sa.text("copies > 1"),
        sqlite_where=sa.text("copies > 1"),
    ),
    sa.Index(
        "ix_inbox_notifications_messages",
        "merchant_id",
        "id",
        postgresql_where=IS_MESSAGE,
        sqlite_where=IS_MESSAGE,
    ),
    sa.Index("ix_inbox_notifications_merchant_id_out_trade_no", "merchant_id", "out_trade_no"),
    one_of("status", InboxStatus),
)

refused_notifications = sa.Table(
    "inbox_refused",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("body_sealed", sa.LargeBinary, nullable=False),
    sa.Column("received_at", Moment, nullable=False),
    sa.Index("ix_inbox_refused_merchant_id_id", "merchant_id", "id"),
)

refusal_counts = sa.Table(
    "inbox_refusal_counts",
    metadata,
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("reason", sa.String(64), primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
)


_OR_COUNT: Final = (
    "ON CONFLICT (merchant_id, notify_id, content_hash)"
    " DO UPDATE SET copies = inbox_notifications.copies + excluded.copies"
)


def insert_or_count(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Records notifications in one statement; one that is there already is counted, and stays.

    The rows must differ from one another in (merchant, notify id, content), and come in that
    order: two processes that record the same copies then wait for one another, and not each for
    the other.
    """
    insert_rows(tx, notifications, rows, on_conflict=_OR_COUNT)


def recorded_keys(tx: Tx, keys: Sequence[tuple[int, str, str]]) -> frozenset[tuple[int, str, str]]:
    """Those of ``keys`` (merchant, notify id, content) that are recorded already."""
    given = {
        "merchant_ids": sorted({merchant_id for merchant_id, _, _ in keys}),
        "notify_ids": [notify_id for _, notify_id, _ in keys],
    }
    rows = read_rows(tx, _recorded(tx.dialect), given)
    found = {(row["merchant_id"], row["notify_id"], row["content_hash"]) for row in rows}
    return frozenset(found & set(keys))


@cache
def _recorded(dialect: str) -> sa.Select[Any]:
    columns = notifications.c
    read: list[sa.Column[Any]] = [
        columns.merchant_id,
        columns.notify_id,
        columns.content_hash,
    ]
    return sa.select(*read).where(
        any_of(dialect, columns.merchant_id, "merchant_ids"),
        any_of(dialect, columns.notify_id, "notify_ids"),
    )


def claim_due(
    tx: Tx, status: InboxStatus, now: datetime, lease_until: datetime, rows_max: int
) -> list[RecordedNotification]:
    """Claims due rows of ``status``, oldest first, until ``lease_until``."""
    due = (
        sa.select(notifications.c.id)
        .where(notifications.c.due_at <= now, notifications.c.status == status.value)
        .order_by(notifications.c.id)
        .limit(rows_max)
    )
    if tx.dialect == "postgresql":
        due = due.with_for_update(skip_locked=True)
    claimed = tx.execute(
        sa.update(notifications)
        .where(notifications.c.id.in_(due))
        .values(due_at=lease_until)
        .returning(notifications)
    ).mappings()
    return sorted((_row(row) for row in claimed), key=lambda row: row.id)


def is_any_waiting(tx: Tx) -> bool:
    """Whether any notification waits for its order to be made."""
    return tx.execute(_WAITS).first() is not None


_WAITS: Final = (
    sa.select(notifications.c.id)
    # Written out, because a parameter would hide from the planner which index has them.
    .where(notifications.c.status == sa.literal(InboxStatus.WAITING.value, literal_execute=True))
    .limit(1)
)


def wake_waiting(tx: Tx, now: datetime, rows_max: int) -> int:
    """Makes notifications due again whose order has come to be; returns how many."""
    appeared = (
        sa.select(notifications.c.id)
        .join(merchants, merchants.c.id == notifications.c.merchant_id)
        .join(
            orders,
            (orders.c.environment == merchants.c.environment)
            & (orders.c.seller_id == merchants.c.seller_id)
            & (orders.c.out_trade_no == notifications.c.out_trade_no)
            & (orders.c.merchant_id == notifications.c.merchant_id),
        )
        # Written out, because a parameter would hide from the planner which index has them.
        .where(
            notifications.c.status == sa.literal(InboxStatus.WAITING.value, literal_execute=True)
        )
        .limit(rows_max)
    )
    changed = tx.execute(
        sa.update(notifications)
        .where(notifications.c.id.in_(appeared))
        .values(status=InboxStatus.RECEIVED.value, due_at=now)
    )
    return changed.rowcount


def update_notification(tx: Tx, notification_id: int, **values: Any) -> None:
    """Writes columns of one notification."""
    tx.execute(
        sa.update(notifications).where(notifications.c.id == notification_id).values(**values)
    )


_EARLIEST_DUE: Final = earliest_of(
    notifications.c.due_at, notifications.c.status == sa.bindparam("status")
)


def earliest_due(tx: Tx, status: InboxStatus) -> datetime | None:
    """When the next row of ``status`` is due."""
    return tx.execute(_EARLIEST_DUE, {"status": status.value}).scalar()


def latest_received(tx: Tx) -> dict[int, datetime]:
    """When each merchant's last notification came, of those among the latest `LATEST_ROWS`."""
    c = notifications.c
    latest = sa.select(c.merchant_id, c.received_at).order_by(c.id.desc()).limit(LATEST_ROWS)
    rows = latest.subquery()
    newest = sa.select(
        rows.c.merchant_id, sa.func.max(rows.c.received_at).label("received_at")
    ).group_by(rows.c.merchant_id)
    return {row.merchant_id: row.received_at for row in tx.execute(newest).all()}


LATEST_ROWS: Final = 1000
"""So many are looked through: a look at a page must not read a table of millions."""


def list_notifications(
    tx: Tx,
    merchant_id: int,
    number: str,
    *,
    messages: Collection[str] = (),
    rows_max: int = 1000,
) -> list[RecordedNotification]:
    """What Alipay told us about one order, oldest first; with ``messages`` (Alipay's names of kinds),
    about the hold or the agreement of that number."""
    kinds = [f"{MESSAGE}{name}" for name in messages]
    wanted = notifications.c.kind.in_(kinds) if kinds else ~notifications.c.kind.startswith(MESSAGE)
    rows = tx.execute(
        sa.select(notifications)
        .where(
            notifications.c.merchant_id == merchant_id,
            notifications.c.out_trade_no == number,
            wanted,
        )
        .order_by(notifications.c.id)
        .limit(rows_max)
    ).mappings()
    return [_row(row) for row in rows]


def list_messages(
    tx: Tx, merchant_id: int, *, before_id: int | None, rows_max: int, kind: str | None
) -> list[RecordedNotification]:
    """The merchant's messages, newest first, older than ``before_id``, of one ``kind`` if given."""
    wanted = sa.select(notifications).where(notifications.c.merchant_id == merchant_id)
    wanted = wanted.where(IS_MESSAGE)
    if kind is not None:
        wanted = wanted.where(notifications.c.kind == kind)
    if before_id is not None:
        wanted = wanted.where(notifications.c.id < before_id)
    rows = tx.execute(wanted.order_by(notifications.c.id.desc()).limit(rows_max)).mappings()
    return [_row(row) for row in rows]


def find_message(
    tx: Tx, merchant_id: int, message_id: int
) -> tuple[RecordedNotification, str, bytes] | None:
    """As `find_notification`, of messages only."""
    found = find_notification(tx, merchant_id, message_id)
    return found if found is not None and found[0].kind.startswith(MESSAGE) else None


def find_notification(
    tx: Tx, merchant_id: int, notification_id: int
) -> tuple[RecordedNotification, str, bytes] | None:
    """The merchant's notification of that row, the hash of its content, and its sealed body."""
    wanted = sa.select(notifications).where(
        notifications.c.id == notification_id, notifications.c.merchant_id == merchant_id
    )
    row = tx.execute(wanted).mappings().first()
    return None if row is None else (_row(row), row["content_hash"], row["body_sealed"])


def page_inbox(
    tx: Tx,
    merchant_id: int,
    *,
    before_id: int | None,
    rows_max: int,
    statuses: Collection[InboxStatus] = (),
    messages: bool | None = None,
    number: str | None = None,
) -> list[RecordedNotification]:
    """What Alipay told the merchant, newest first, older than ``before_id``; of these ``statuses``, only
    (or no) ``messages``, and about that ``number``, where they are given."""
    wanted = sa.select(notifications).where(notifications.c.merchant_id == merchant_id)
    order: sa.ColumnElement[int] = notifications.c.id
    if statuses:
        wanted = wanted.where(notifications.c.status.in_([one.value for one in statuses]))
        if InboxStatus.APPLIED not in statuses and InboxStatus.KEPT not in statuses:
            # Few rows, which have an index of their own: the sum hides the other one, by which a
            # planner would walk through all that was ever applied.
            wanted = wanted.where(NOT_APPLIED)
            order = notifications.c.id + 0
    if messages is not None:
        wanted = wanted.where(IS_MESSAGE if messages else sa.not_(IS_MESSAGE))
    if number is not None:
        wanted = wanted.where(notifications.c.out_trade_no == number)
    if before_id is not None:
        wanted = wanted.where(notifications.c.id < before_id)
    rows = tx.execute(wanted.order_by(order.desc()).limit(rows_max)).mappings()
    return [_row(row) for row in rows]


def page_refused(
    tx: Tx, merchant_id: int, *, before_id: int | None, rows_max: int
) -> list[tuple[RefusedNotification, bytes]]:
    """What was refused for the merchant, as far as it is kept, newest first, with the sealed bodies."""
    wanted = sa.select(refused_notifications).where(
        refused_notifications.c.merchant_id == merchant_id
    )
    if before_id is not None:
        wanted = wanted.where(refused_notifications.c.id < before_id)
    rows = tx.execute(wanted.order_by(refused_notifications.c.id.desc()).limit(rows_max)).mappings()
    return [
        (
            RefusedNotification(row["id"], row["reason"], row["detail"], row["received_at"]),
            row["body_sealed"],
        )
        for row in rows
    ]


def environment_of(tx: Tx, merchant_id: int) -> str:
    """The environment in which the merchant's notifications are true."""
    wanted = sa.select(merchants.c.environment).where(merchants.c.id == merchant_id)
    return str(tx.execute(wanted).scalar_one())


def insert_refused(tx: Tx, values: Mapping[str, Any], day: date) -> None:
    """Counts a refused body and keeps it in the sample, out of which the oldest fall."""
    merchant_id = values["merchant_id"]
    dialect_insert = postgresql.insert if tx.dialect == "postgresql" else sqlite.insert
    count = dialect_insert(refusal_counts).values(
        merchant_id=merchant_id, day=day, reason=values["reason"], count=1
    )
    tx.execute(
        count.on_conflict_do_update(
            index_elements=["merchant_id", "day", "reason"],
            set_={"count": refusal_counts.c.count + 1},
        )
    )
    tx.execute(sa.insert(refused_notifications).values(**values))
    kept = (
        sa.select(refused_notifications.c.id)
        .where(refused_notifications.c.merchant_id == merchant_id)
        .order_by(refused_notifications.c.id.desc())
        .limit(REFUSED_SAMPLES_MAX)
    )
    tx.execute(
        sa.delete(refused_notifications).where(
            refused_notifications.c.merchant_id == merchant_id,
            refused_notifications.c.id.not_in(kept),
        )
    )


def count_refused(tx: Tx, merchant_id: int) -> dict[str, int]:
    """How many bodies were refused for the merchant, by reason."""
    rows = tx.execute(
        sa.select(refusal_counts.c.reason, sa.func.sum(refusal_counts.c.count).label("total"))
        .where(refusal_counts.c.merchant_id == merchant_id)
        .group_by(refusal_counts.c.reason)
    )
    return {row.reason: int(row.total) for row in rows}


def _row(row: Mapping[Any, Any]) -> RecordedNotification:
    return RecordedNotification(
        id=row["id"],
        merchant_id=row["merchant_id"],
        notify_id=row["notify_id"],
        kind=row["kind"],
        out_trade_no=row["out_trade_no"],
        status=InboxStatus(row["status"]),
        fact=None if row["fact"] is None else fact_from_json(row["fact"]),
        attempts=row["attempts"],
        copies=row["copies"],
        received_at=row["received_at"],
        applied_at=row["applied_at"],
        outcome=row["outcome"],
        has_body=row["body_sealed"] != FORGOTTEN,
    )
