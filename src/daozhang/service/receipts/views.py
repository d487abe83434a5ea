"""Receipts of accounts as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from daozhang.service.receipts.model import AccountReceipt, AccountReceiptKind

KEYS = (
    "A day as 2026-03-02, a month as 2026-03, days as 20260302-20260305, or the number of a movement "
    "in the account bill (账务流水号)."
)


class AccountReceiptIn(BaseModel):
    """What a receipt shall be of."""

    kind: AccountReceiptKind = Field(
        description="day, month (sums), days (every movement), movement (one)."
    )
    key: str = Field(min_length=1, max_length=64, description=KEYS)


class AccountReceiptOut(BaseModel):
    """How far a receipt is."""

    object: str = "account_receipt"
    environment: str
    seller_id: str
    kind: str
    key: str
    status: str = Field(description="requested, making, ready or failed.")
    bytes: int | None
    sha256: str | None = Field(description="Of the file.")
    last_message: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, one: AccountReceipt) -> Self:
        """``one``, rendered."""
        return cls(
            environment=one.environment,
            seller_id=one.seller_id,
            kind=one.kind.value,
            key=one.key,
            status=one.status.value,
            bytes=one.pdf_bytes,
            sha256=one.pdf_sha256,
            last_message=one.last_message,
            created_at=one.created_at,
            updated_at=one.updated_at,
        )
