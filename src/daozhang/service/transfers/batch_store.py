"""Batches and receipts as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.db import Moment, RowId, Tx, insert_ignoring, metadata, one_of
from daozhang.service.due import DueRows
from daozhang.service.receipts.model import ReceiptStatus
from daozhang.service.transfers.model import (
    Batch,
    BatchStatus,
    Receipt,
    TransferStatus,
)
from daozhang.service.transfers.store import DUE, transfers

transfer_batches = sa.Table(
    "transfer_batches",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("number", sa.String(64), nullable=False),
    sa.Column("title", sa.String(128), nullable=False),
    sa.Column("status", sa.String(24), nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("sheet_sha256", sa.String(64), nullable=False),
    sa.Column("requested_by", sa.String(96), nullable=False),
    sa.Column("approved_by", sa.String(96)),
    sa.Column("approval_id", sa.String(32)),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("merchant_id", "number"),
    sa.Index("ix_transfer_batches_approval_id", "approval_id"),
    one_of("status", BatchStatus),
)

transfer_receipts = sa.Table(
    "transfer_receipts",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("transfer_id", RowId, sa.ForeignKey("transfers.id"), nullable=False, unique=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("file_id", sa.String(128)),
    sa.Column("applied_at", Moment),
    sa.Column("apply_count", sa.Integer, nullable=False, default=0),
    sa.Column("ask_count", sa.Integer, nullable=False, default=0),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("due_at", Moment),
    sa.Column("last_code", sa.String(128)),
    sa.Column("last_message", sa.Text),
    sa.Column("pdf_sealed", sa.LargeBinary),
    sa.Column("pdf_sha256", sa.String(64)),
    sa.Column("pdf_bytes", sa.Integer),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("ix_transfer_receipts_due", "due_at", postgresql_where=DUE, sqlite_where=DUE),
    one_of("status", ReceiptStatus),
)


# ---- batches


def insert_batch(tx: Tx, values: Mapping[str, Any]) -> int | None:
    """Adds a batch; its row id, or ``None`` if the merchant has one of that number."""
    added = insert_ignoring(tx, transfer_batches, [values], transfer_batches.c.id)
    return cast("int", added[0]) if added else None


def update_batch(tx: Tx, batch_id: int, **values: Any) -> None:
    """Writes the given columns of one batch."""
    tx.execute(
        sa.update(transfer_batches).where(transfer_batches.c.id == batch_id).values(**values)
    )


def find_batch(tx: Tx, merchant_id: int, number: str) -> Batch | None:
    """The merchant's batch of that number."""
    c = transfer_batches.c
    return _batch(tx, (c.merchant_id == merchant_id) & (c.number == number))


def find_batch_by_id(tx: Tx, batch_id: int) -> Batch | None:
    """The batch with that row id."""
    return _batch(tx, transfer_batches.c.id == batch_id)


def find_batch_of_approval(tx: Tx, approval_id: str) -> Batch | None:
    """The batch that one approval is about."""
    return _batch(tx, transfer_batches.c.approval_id == approval_id)


def list_batches(
    tx: Tx, merchant_id: int, *, before_id: int | None = None, rows_max: int = 50
) -> list[Batch]:
    """The merchant's batches, newest first."""
    c = transfer_batches.c
    wanted = sa.select(transfer_batches).where(c.merchant_id == merchant_id)
    if before_id is not None:
        wanted = wanted.where(c.id < before_id)
    rows = tx.execute(wanted.order_by(c.id.desc()).limit(rows_max)).mappings()
    return [_batch_of(row) for row in rows]


class Share(NamedTuple):
    """How many transfers of a batch stand so, and what they come to."""

    status: TransferStatus
    transfers: int
    amount: Money


def progress(tx: Tx, batch: Batch) -> list[Share]:
    """Where the transfers of a batch stand."""
    c = transfers.c
    rows = tx.execute(
        sa.select(
            c.status, sa.func.count().label("transfers"), sa.func.sum(c.amount_minor).label("sum")
        )
        .where(c.batch_id == batch.id)
        .group_by(c.status)
    ).mappings()
    currency = batch.amount.currency
    return [
        Share(TransferStatus(row["status"]), row["transfers"], Money(int(row["sum"]), currency))
        for row in rows
    ]


def _batch(tx: Tx, condition: sa.ColumnElement[bool]) -> Batch | None:
    row = tx.execute(sa.select(transfer_batches).where(condition)).mappings().first()
    return None if row is None else _batch_of(row)


def _batch_of(row: Mapping[Any, Any]) -> Batch:
    plain = {
        name: row[name] for name in Batch.__dataclass_fields__ if name not in ("status", "amount")
    }
    amount = Money(row["amount_minor"], row["currency"])
    return Batch(status=BatchStatus(row["status"]), amount=amount, **plain)


# ---- receipts


def insert_receipt(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Adds a receipt; ``False`` if the transfer has one."""
    return bool(insert_ignoring(tx, transfer_receipts, [values], transfer_receipts.c.id))


def update_receipt(tx: Tx, receipt_id: int, **values: Any) -> None:
    """Writes the given columns of one receipt."""
    tx.execute(
        sa.update(transfer_receipts).where(transfer_receipts.c.id == receipt_id).values(**values)
    )


def find_receipt(tx: Tx, transfer_id: int) -> Receipt | None:
    """The receipt of a transfer."""
    return _receipt(tx, transfer_receipts.c.transfer_id == transfer_id)


def find_receipt_by_id(tx: Tx, receipt_id: int) -> Receipt | None:
    """The receipt with that row id."""
    return _receipt(tx, transfer_receipts.c.id == receipt_id)


def _receipt(tx: Tx, condition: sa.ColumnElement[bool]) -> Receipt | None:
    row = tx.execute(sa.select(transfer_receipts).where(condition)).mappings().first()
    if row is None:
        return None
    plain = {name: row[name] for name in Receipt.__dataclass_fields__ if name != "status"}
    return Receipt(status=ReceiptStatus(row["status"]), **plain)


DUE_RECEIPTS: Final = DueRows(transfer_receipts)
