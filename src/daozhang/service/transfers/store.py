"""Transfers, limits and what is due, as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.approvals.model import ApprovalStatus
from daozhang.service.approvals.store import approvals
from daozhang.service.db import (
    Json,
    Moment,
    RowId,
    Tx,
    insert_ignoring,
    metadata,
    one_of,
)
from daozhang.service.due import HeldRows
from daozhang.service.transfers.model import (
    PayeeKind,
    Transfer,
    TransferLimits,
    TransferStatus,
)

DUE: Final = sa.text("due_at IS NOT NULL")
"""What somebody still has to do something about."""

UNDECIDED: Final = sa.text("status IN ('requested', 'unknown', 'dealing')")
"""Transfers by which money may still move."""

AWAITING: Final = sa.text("status = 'awaiting_approval'")
"""Transfers that wait for a second person."""

HELD: Final = sa.text("held_at IS NOT NULL")
"""Transfers that the merchant's switch for outgoing money keeps from being sent."""

transfers = sa.Table(
    "transfers",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("app_id", sa.String(32), nullable=False),
    sa.Column("seller_id", sa.String(32), nullable=False),
    sa.Column("out_biz_no", sa.String(64), nullable=False),
    sa.Column("batch_id", RowId, sa.ForeignKey("transfer_batches.id")),
    sa.Column("batch_row", sa.Integer),
    sa.Column("status", sa.String(24), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("payee_kind", sa.String(16), nullable=False),
    sa.Column("payee_shown", sa.String(256), nullable=False),
    sa.Column("payee_sealed", sa.LargeBinary, nullable=False),
    sa.Column("product_code", sa.String(64), nullable=False),
    sa.Column("title", sa.String(128), nullable=False),
    sa.Column("remark", sa.String(200)),
    sa.Column("scene_name", sa.String(64)),
    sa.Column("scene_reports", Json),
    sa.Column("requested_by", sa.String(96), nullable=False),
    sa.Column("approved_by", sa.String(96)),
    sa.Column("approval_id", sa.String(32)),
    sa.Column("order_id", sa.String(64)),
    sa.Column("pay_fund_order_id", sa.String(64)),
    sa.Column("attention", sa.Boolean, nullable=False, default=False),
    sa.Column("calling", sa.Boolean, nullable=False, default=False),
    sa.Column("called_at", Moment),
    sa.Column("call_count", sa.Integer, nullable=False, default=0),
    sa.Column("ask_count", sa.Integer, nullable=False, default=0),
    sa.Column("watch_count", sa.Integer, nullable=False, default=0),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("due_at", Moment),
    sa.Column("held_at", Moment),
    sa.Column("last_code", sa.String(128)),
    sa.Column("last_message", sa.Text),
    sa.Column("paid_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("returned_at", Moment),
    sa.Column("counted_at", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("environment", "seller_id", "out_biz_no"),
    sa.Index("ix_transfers_due", "due_at", postgresql_where=DUE, sqlite_where=DUE),
    sa.Index(
        "ix_transfers_undecided",
        "status",
        "created_at",
        postgresql_where=UNDECIDED,
        sqlite_where=UNDECIDED,
    ),
    sa.Index("ix_transfers_merchant_id", "merchant_id", "id"),
    sa.Index("ix_transfers_counted_at", "merchant_id", "counted_at"),
    sa.Index("ix_transfers_batch_id", "batch_id", "batch_row"),
    sa.Index("ix_transfers_approval_id", "approval_id"),
    sa.Index(
        "ix_transfers_awaiting", "approval_id", postgresql_where=AWAITING, sqlite_where=AWAITING
    ),
    sa.Index("ix_transfers_held", "merchant_id", postgresql_where=HELD, sqlite_where=HELD),
    one_of("status", TransferStatus),
    one_of("payee_kind", PayeeKind),
    sa.CheckConstraint("amount_minor > 0", name="amount"),
)

transfer_limits = sa.Table(
    "transfer_limits",
    metadata,
    sa.Column(
        "merchant_id",
        RowId,
        sa.ForeignKey("merchants.id"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("single_max_minor", sa.BigInteger),
    sa.Column("day_max_minor", sa.BigInteger),
    sa.Column("second_person_single_minor", sa.BigInteger),
    sa.Column("second_person_day_minor", sa.BigInteger),
    sa.Column("updated_at", Moment, nullable=False),
)

CURRENCY: Final = "CNY"
"""What transfers are counted in."""


# ---- transfers


def insert_transfer(tx: Tx, values: Mapping[str, Any]) -> int | None:
    """Adds a transfer; its row id, or ``None`` if the number is taken."""
    added = insert_ignoring(tx, transfers, [values], transfers.c.id)
    return cast("int", added[0]) if added else None


def update_transfer(tx: Tx, transfer_id: int, **values: Any) -> None:
    """Writes the given columns of one transfer."""
    tx.execute(sa.update(transfers).where(transfers.c.id == transfer_id).values(**values))


def find_transfer(tx: Tx, environment: str, seller_id: str, out_biz_no: str) -> Transfer | None:
    """The transfer of that number, whichever app of the seller made it."""
    return _one(
        tx,
        (transfers.c.environment == environment)
        & (transfers.c.seller_id == seller_id)
        & (transfers.c.out_biz_no == out_biz_no),
    )


def list_numbered(
    tx: Tx, environment: str, seller_id: str, numbers: Collection[str]
) -> dict[str, Transfer]:
    """The transfers of those numbers, by their numbers."""
    rows = tx.execute(
        sa.select(transfers).where(
            transfers.c.environment == environment,
            transfers.c.seller_id == seller_id,
            transfers.c.out_biz_no.in_(numbers),
        )
    ).mappings()
    return {row["out_biz_no"]: transfer_of(row) for row in rows}


def find_transfer_of_merchant(tx: Tx, merchant_id: int, out_biz_no: str) -> Transfer | None:
    """The merchant's transfer of that number."""
    return _one(
        tx, (transfers.c.merchant_id == merchant_id) & (transfers.c.out_biz_no == out_biz_no)
    )


def find_transfer_by_id(tx: Tx, transfer_id: int, *, lock: bool = False) -> Transfer | None:
    """The transfer with that row id; locked until the transaction ends if ``lock``."""
    return _one(tx, transfers.c.id == transfer_id, lock=lock)


def _one(tx: Tx, condition: sa.ColumnElement[bool], *, lock: bool = False) -> Transfer | None:
    statement = sa.select(transfers).where(condition)
    if lock and tx.dialect == "postgresql":
        # Not the key: a row that refers to it is added meanwhile.
        statement = statement.with_for_update(key_share=True)
    row = tx.execute(statement).mappings().first()
    return None if row is None else transfer_of(row)


def list_transfers(
    tx: Tx,
    merchant_id: int,
    *,
    before_id: int | None = None,
    rows_max: int = 50,
    status: TransferStatus | None = None,
    batch_id: int | None = None,
) -> list[Transfer]:
    """The merchant's transfers, newest first; of one batch if ``batch_id`` is given."""
    wanted = sa.select(transfers).where(transfers.c.merchant_id == merchant_id)
    if before_id is not None:
        wanted = wanted.where(transfers.c.id < before_id)
    if status is not None:
        wanted = wanted.where(transfers.c.status == status.value)
    if batch_id is not None:
        wanted = wanted.where(transfers.c.batch_id == batch_id)
    rows = tx.execute(wanted.order_by(transfers.c.id.desc()).limit(rows_max)).mappings()
    return [transfer_of(row) for row in rows]


def list_of_approval(tx: Tx, approval_id: str) -> list[Transfer]:
    """The transfers that one approval is about, in the order of their rows."""
    rows = tx.execute(
        sa.select(transfers)
        .where(transfers.c.approval_id == approval_id)
        .order_by(transfers.c.batch_row, transfers.c.id)
    ).mappings()
    return [transfer_of(row) for row in rows]


def approve_batch_by(tx: Tx, batch_id: int, approval_id: str) -> None:
    """Has all transfers of a batch wait for one approval."""
    tx.execute(
        sa.update(transfers).where(transfers.c.batch_id == batch_id).values(approval_id=approval_id)
    )


def lock_sums(tx: Tx, merchant_id: int) -> None:
    """Makes others wait who would add to what the merchant sends, until ``tx`` ends."""
    if tx.dialect == "postgresql":  # SQLite has one writer, who holds everything
        key = sa.func.hashtextextended(f"transfers:{merchant_id}", 0)
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def sent_since(tx: Tx, merchant_id: int, since: datetime) -> Money:
    """What the merchant has asked to send since then, without what will not go."""
    return _sum(tx, transfers.c.merchant_id == merchant_id, transfers.c.counted_at >= since)


def alone_since(tx: Tx, merchant_id: int, requested_by: str, since: datetime) -> Money:
    """What that requester has asked to send since then on their own word."""
    return _sum(
        tx,
        transfers.c.merchant_id == merchant_id,
        transfers.c.counted_at >= since,
        transfers.c.requested_by == requested_by,
        transfers.c.approval_id.is_(None),
    )


def has_unapproved(tx: Tx) -> bool:
    """Whether `list_unapproved` would find one."""
    return tx.execute(_FIRST_UNAPPROVED).first() is not None


def list_unapproved(tx: Tx, rows_max: int) -> list[tuple[int, ApprovalStatus]]:
    """Transfers that wait for a second person who has decided otherwise, or whose time is over."""
    found = tx.execute(_UNAPPROVED.order_by(transfers.c.id).limit(rows_max))
    return [(row.id, ApprovalStatus(row.ended)) for row in found]


_UNAPPROVED: Final = (
    sa.select(transfers.c.id, approvals.c.status.label("ended"))
    .join(approvals, approvals.c.public_id == transfers.c.approval_id)
    .where(
        sa.text("transfers.status = 'awaiting_approval'"),
        approvals.c.status.not_in((ApprovalStatus.PENDING.value, ApprovalStatus.APPROVED.value)),
    )
)
_FIRST_UNAPPROVED: Final = _UNAPPROVED.limit(1)


def _sum(tx: Tx, *conditions: sa.ColumnElement[bool]) -> Money:
    total = sa.select(sa.func.coalesce(sa.func.sum(transfers.c.amount_minor), 0)).where(
        transfers.c.status.not_in((TransferStatus.FAILED.value, TransferStatus.RETURNED.value)),
        *conditions,
    )
    return Money(int(tx.execute(total).scalar_one()), CURRENCY)


def doubt_all(tx: Tx, now: datetime, due_at: datetime) -> None:
    """Every transfer that may move money becomes one that may have been sent until ``now``.

    Nothing of it is sent before a question, due at ``due_at``, has found that it never arrived. What has
    ended, or waits for a second person, is asked about too: a copy that was restored may be older.
    """
    tx.execute(
        sa.update(transfers)
        .where(UNDECIDED)
        .values(
            status=TransferStatus.UNKNOWN.value,
            calling=False,
            called_at=now,
            due_at=due_at,
            updated_at=now,
        )
    )


def list_unsettled_since(tx: Tx, since: datetime) -> list[int]:
    """Transfers whose end is not known, and those that were asked for or ended since then."""
    rows = tx.execute(
        sa.select(transfers.c.id)
        .where(sa.or_(UNDECIDED, transfers.c.created_at >= since, transfers.c.ended_at >= since))
        .order_by(transfers.c.id)
    )
    return [row.id for row in rows]


DUE_ROWS: Final = HeldRows(transfers)


# ---- limits


def find_limits(tx: Tx, merchant_id: int) -> TransferLimits | None:
    """What the merchant lets be sent; ``None`` if nobody has said."""
    wanted = sa.select(transfer_limits).where(transfer_limits.c.merchant_id == merchant_id)
    row = tx.execute(wanted).mappings().first()
    if row is None:
        return None
    names = ("single_max", "day_max", "second_person_single", "second_person_day")
    minor = {name: row[f"{name}_minor"] for name in names}
    return TransferLimits(
        **{name: None if value is None else Money(value, CURRENCY) for name, value in minor.items()}
    )


def write_limits(tx: Tx, merchant_id: int, limits: TransferLimits, now: datetime) -> None:
    """Writes what the merchant lets be sent."""
    values: dict[str, Any] = {
        f"{name}_minor": None if amount is None else amount.minor
        for name in TransferLimits.__dataclass_fields__
        for amount in (getattr(limits, name),)
    }
    values["updated_at"] = now
    row = {"merchant_id": merchant_id, **values}
    if not insert_ignoring(tx, transfer_limits, [row], transfer_limits.c.merchant_id):
        tx.execute(
            sa.update(transfer_limits)
            .where(transfer_limits.c.merchant_id == merchant_id)
            .values(**values)
        )


def transfer_of(row: Mapping[Any, Any]) -> Transfer:
    """A row of ``transfers`` as a `Transfer`."""
    read = ("status", "amount", "payee_kind", "scene_reports")
    plain = {name: row[name] for name in Transfer.__dataclass_fields__ if name not in read}
    reports = cast("Sequence[Mapping[str, str]]", row["scene_reports"] or ())
    return Transfer(
        status=TransferStatus(row["status"]),
        amount=Money(row["amount_minor"], row["currency"]),
        payee_kind=PayeeKind(row["payee_kind"]),
        scene_reports=tuple(reports),
        **plain,
    )
