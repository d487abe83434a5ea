"""Receipts (电子回单) of transfers: asked for, made by Alipay, fetched once, kept sealed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from daozhang.alipay.operations.transfer import ReceiptKind
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.receipts.making import ReceiptMaker, Subject, values_again
from daozhang.service.receipts.model import ReceiptStatus
from daozhang.service.receipts.refusals import NOT_ASKED_FOR, ReceiptNotReady
from daozhang.service.transfers import batch_store
from daozhang.service.transfers.model import Receipt, Transfer, TransferStatus
from daozhang.service.transfers.refusals import ReceiptNotPossible
from daozhang.service.transfers.requesting import note
from daozhang.service.transfers.settling import lock_transfer
from daozhang.service.web.context import Context


def request_receipt(tx: Tx, context: Context, transfer: Transfer, actor: Actor) -> Receipt:
    """The receipt of a locked transfer, asked for now unless it is there or under way.

    Raises `ReceiptNotPossible`.
    """
    if transfer.status not in (TransferStatus.SUCCEEDED, TransferStatus.RETURNED):
        raise ReceiptNotPossible(transfer.status)
    now = context.clock.now()
    again = values_again(now)
    row = again | {
        "transfer_id": transfer.id,
        "merchant_id": transfer.merchant_id,
        "attempt": 0,
        "created_at": now,
    }
    is_new = batch_store.insert_receipt(tx, row)
    receipt = _receipt_of(tx, transfer)
    if receipt.status is ReceiptStatus.FAILED:
        batch_store.update_receipt(tx, receipt.id, **again)
    if is_new or receipt.status is ReceiptStatus.FAILED:
        note(tx, actor, "transfer.receipt_requested", transfer, now)
        tx.after_commit(lambda: context.signals.wake("transfer_receipts"))
    return _receipt_of(tx, transfer)


def open_receipt(tx: Tx, context: Context, transfer: Transfer) -> bytes:
    """The file. Raises `ReceiptNotReady`."""
    receipt = batch_store.find_receipt(tx, transfer.id)
    if receipt is None or receipt.pdf_sealed is None:
        raise ReceiptNotReady(NOT_ASKED_FOR if receipt is None else receipt.status.value)
    return context.sealer.open(receipt.pdf_sealed, sealed_receipt(transfer.id))


def sealed_receipt(transfer_id: int) -> str:
    """What the receipt of a transfer is sealed to."""
    return f"transfer_receipt:{transfer_id}"


def _receipt_of(tx: Tx, transfer: Transfer) -> Receipt:
    receipt = batch_store.find_receipt(tx, transfer.id)
    assert receipt is not None, "it was written a moment ago, and receipts are never deleted"
    return receipt


@dataclass(frozen=True, slots=True)
class ReceiptWork:
    """Works receipts off, one step at a time."""

    maker: ReceiptMaker

    def run(self, receipt_id: int) -> None:
        """Takes the next step of a receipt: have it made, or ask whether it is there and fetch it."""
        database = self.maker.context.database
        with database.begin() as tx:
            receipt = batch_store.find_receipt_by_id(tx, receipt_id)
            assert receipt is not None, f"receipt row {receipt_id} is gone"
            transfer = lock_transfer(tx, receipt.transfer_id)

        def write(**values: Any) -> None:
            with database.begin() as tx:
                now = self.maker.context.clock.now()
                batch_store.update_receipt(tx, receipt_id, updated_at=now, **values)

        subject = Subject(
            merchant_id=transfer.merchant_id,
            environment=transfer.environment,
            kind=ReceiptKind.TRANSFER,
            key=transfer.order_id or transfer.pay_fund_order_id or "",
            sealed_to=sealed_receipt(transfer.id),
            note=write,
        )
        self.maker.step(receipt, subject)
