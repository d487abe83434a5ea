"""Receipts (电子回单): asked for, made by Alipay, fetched once, kept sealed.

Alipay makes a file in its own time, and the address of it lives 30 seconds; what it was asked to make is
forgotten after two days and asked for anew. Nothing here moves money.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.operations.transfer import (
    DataBillEreceiptApply,
    DataBillEreceiptQuery,
    ReceiptKind,
)
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.downloads import RECEIPT_HOSTS, DownloadFailed, download
from daozhang.service.merchants.clients import Clients
from daozhang.service.transfers import batch_store
from daozhang.service.transfers.model import Receipt, ReceiptStatus, Transfer, TransferStatus
from daozhang.service.transfers.refusals import ReceiptNotPossible, ReceiptNotReady
from daozhang.service.transfers.requesting import note
from daozhang.service.transfers.settling import lock_transfer
from daozhang.service.web.context import Context

RECEIPT_BYTES_MAX: Final = 8 << 20
ASK_DELAYS_SECONDS: Final = (3, 5, 10, 30, 60, 300, 900)
"""When Alipay is asked whether the file is there; the last one repeats."""

FILE_LIFE: Final = timedelta(days=2)
"""How long Alipay keeps what it was asked to make (apis.md §6.5)."""

APPLIES_MAX: Final = 3
"""After so many files that failed or were forgotten it is given up."""


def request_receipt(tx: Tx, context: Context, transfer: Transfer, actor: Actor) -> Receipt:
    """The receipt of a locked transfer, asked for now unless it is there or under way.

    Raises `ReceiptNotPossible`.
    """
    if transfer.status not in (TransferStatus.SUCCEEDED, TransferStatus.RETURNED):
        raise ReceiptNotPossible(transfer.status.value)
    now = context.clock.now()
    again = {
        "status": ReceiptStatus.REQUESTED.value,
        "due_at": now,
        "apply_count": 0,
        "ask_count": 0,
        "updated_at": now,
    }
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
        raise ReceiptNotReady("not asked for" if receipt is None else receipt.status.value)
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

    context: Context
    clients: Clients

    def run(self, receipt_id: int) -> None:
        """Takes the next step of a receipt: have it made, or ask whether it is there and fetch it."""
        now = self.context.clock.now()
        with self.context.database.begin() as tx:
            receipt = batch_store.find_receipt_by_id(tx, receipt_id)
            assert receipt is not None, f"receipt row {receipt_id} is gone"
            transfer = lock_transfer(tx, receipt.transfer_id)
        if receipt.status in (ReceiptStatus.READY, ReceiptStatus.FAILED):
            self._note(receipt, due_at=None)
            return
        forgotten = receipt.applied_at is not None and now >= receipt.applied_at + FILE_LIFE
        if receipt.file_id is None or forgotten:
            self._apply(receipt, transfer)
        else:
            self._ask(receipt, transfer)

    def _apply(self, receipt: Receipt, transfer: Transfer) -> None:
        now = self.context.clock.now()
        operation = DataBillEreceiptApply(
            type=ReceiptKind.TRANSFER, key=transfer.order_id or transfer.pay_fund_order_id or ""
        )
        try:
            result = self.clients.client_for(transfer.merchant_id).call(operation)
        except Rejected as no:
            self._give_up(receipt, no.sub_code or no.code, no.message)
            return
        except OutcomeUnknown as unknown:
            self._later(receipt, unknown.cause, unknown.reason)
            return
        self._note(
            receipt,
            status=ReceiptStatus.MAKING.value,
            file_id=result.file_id,
            applied_at=now,
            apply_count=receipt.apply_count + 1,
            ask_count=0,
            due_at=now + timedelta(seconds=ASK_DELAYS_SECONDS[0]),
        )

    def _ask(self, receipt: Receipt, transfer: Transfer) -> None:
        assert receipt.file_id is not None
        try:
            result = self.clients.client_for(transfer.merchant_id).call(
                DataBillEreceiptQuery(file_id=receipt.file_id)
            )
        except (Rejected, OutcomeUnknown) as problem:
            self._later(receipt, "query", str(problem))
            return
        if result.status == "FAIL":
            self._made_anew(receipt, result.error_message or "Alipay could not make it")
        elif not result.is_ready:
            self._later(receipt, result.status, None)
        else:
            try:
                content = self._fetch(transfer, result.download_url or "")
            except DownloadFailed as problem:
                self._later(receipt, "not_fetched", str(problem))
            else:
                self._keep(receipt, transfer, content)

    def _fetch(self, transfer: Transfer, url: str) -> bytes:
        """The file at an address that Alipay has just signed."""
        client = self.clients.client_for(transfer.merchant_id)
        with tempfile.TemporaryDirectory(prefix="daozhang-receipt-") as place:
            path = Path(place) / "receipt"
            download(
                url,
                path,
                environment=transfer.environment,
                hosts=RECEIPT_HOSTS,
                gateway_url=client.credentials.gateway_url,
                bytes_max=RECEIPT_BYTES_MAX,
                seconds_max=self.context.settings.gateway_timeout_seconds,
            )
            content = path.read_bytes()
        if not content.startswith(b"%PDF"):
            raise DownloadFailed("what came is no PDF")
        return content

    def _keep(self, receipt: Receipt, transfer: Transfer, content: bytes) -> None:
        self._note(
            receipt,
            status=ReceiptStatus.READY.value,
            pdf_sealed=self.context.sealer.seal(content, sealed_receipt(transfer.id)),
            pdf_sha256=hashlib.sha256(content).hexdigest(),
            pdf_bytes=len(content),
            last_code=None,
            last_message=None,
            due_at=None,
        )

    def _made_anew(self, receipt: Receipt, message: str) -> None:
        if receipt.apply_count >= APPLIES_MAX:
            self._give_up(receipt, "FAIL", message)
        else:
            self._note(
                receipt, file_id=None, last_message=message, due_at=_later(self.context, receipt)
            )

    def _give_up(self, receipt: Receipt, code: str, message: str) -> None:
        failed = ReceiptStatus.FAILED.value
        self._note(receipt, status=failed, last_code=code, last_message=message, due_at=None)

    def _later(self, receipt: Receipt, code: str | None, message: str | None) -> None:
        self._note(
            receipt,
            ask_count=receipt.ask_count + 1,
            last_code=code,
            last_message=message,
            due_at=_later(self.context, receipt),
        )

    def _note(self, receipt: Receipt, **values: Any) -> None:
        with self.context.database.begin() as tx:
            now = self.context.clock.now()
            batch_store.update_receipt(tx, receipt.id, updated_at=now, **values)


def _later(context: Context, receipt: Receipt) -> datetime:
    rung = min(receipt.ask_count, len(ASK_DELAYS_SECONDS) - 1)
    return context.clock.now() + timedelta(seconds=ASK_DELAYS_SECONDS[rung])
