"""Receipts of accounts, as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.db import Moment, RowId, Tx, insert_ignoring, metadata, one_of
from daozhang.service.due import DueRows
from daozhang.service.receipts.model import AccountReceipt, AccountReceiptKind, ReceiptStatus

DUE: Final = sa.text("due_at IS NOT NULL")
"""What somebody still has to do something about."""

account_receipts: Final = sa.Table(
    "account_receipts",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("seller_id", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("file_id", sa.String(128)),
    sa.Column("applied_at", Moment),
    sa.Column("apply_count", sa.Integer, nullable=False),
    sa.Column("ask_count", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("due_at", Moment),
    sa.Column("last_code", sa.String(128)),
    sa.Column("last_message", sa.Text),
    sa.Column("pdf_sealed", sa.LargeBinary),
    sa.Column("pdf_sha256", sa.String(64)),
    sa.Column("pdf_bytes", sa.Integer),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("environment", "seller_id", "kind", "key"),
    sa.Index("ix_account_receipts_due", "due_at", postgresql_where=DUE, sqlite_where=DUE),
    one_of("kind", AccountReceiptKind),
    one_of("status", ReceiptStatus),
)


def insert_receipt(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Adds a receipt; ``False`` if the account has one of that kind and key."""
    return bool(insert_ignoring(tx, account_receipts, [values], account_receipts.c.id))


def update_receipt(tx: Tx, receipt_id: int, **values: Any) -> None:
    """Writes the given columns of one receipt."""
    tx.execute(
        sa.update(account_receipts).where(account_receipts.c.id == receipt_id).values(**values)
    )


def find_receipt(
    tx: Tx,
    environment: str,
    seller_id: str,
    kind: AccountReceiptKind,
    key: str,
    *,
    lock: bool = False,
) -> AccountReceipt | None:
    """The account's receipt of that kind and key."""
    c = account_receipts.c
    wanted = sa.select(account_receipts).where(
        c.environment == environment,
        c.seller_id == seller_id,
        c.kind == kind.value,
        c.key == key,
    )
    return _receipt(tx, wanted.with_for_update() if lock else wanted)


def find_by_id(tx: Tx, receipt_id: int) -> AccountReceipt | None:
    """The receipt of that row."""
    return _receipt(tx, sa.select(account_receipts).where(account_receipts.c.id == receipt_id))


def _receipt(tx: Tx, wanted: sa.Select[Any]) -> AccountReceipt | None:
    row = tx.execute(wanted).mappings().first()
    if row is None:
        return None
    plain = {
        name: row[name]
        for name in AccountReceipt.__dataclass_fields__
        if name not in ("kind", "status")
    }
    kind, status = AccountReceiptKind(row["kind"]), ReceiptStatus(row["status"])
    return AccountReceipt(kind=kind, status=status, **plain)


DUE_ROWS: Final = DueRows(account_receipts)
