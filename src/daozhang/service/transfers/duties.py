"""The sweeps over transfers and receipts that are due, and what is told of transfers by message."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from daozhang.alipay.messages import TransferChanged, read_message
from daozhang.alipay.notifications import Message, Notification
from daozhang.service.db import Tx
from daozhang.service.due import SweepHeld
from daozhang.service.duty import Duty
from daozhang.service.sweep import BATCH_ROWS, Sweep
from daozhang.service.transfers import batch_store, store
from daozhang.service.transfers.approving import end_unapproved
from daozhang.service.transfers.model import Transfer, TransferStatus
from daozhang.service.transfers.rules import STEP_LEASE_SECONDS
from daozhang.service.transfers.settling import (
    TRANSFERS_SIGNAL,
    ask_soon,
    lock_transfer,
    tell_person,
)
from daozhang.service.web.context import Context

TRANSFER_JOB: Final = "transfer"
"""The name under which steps wait in the queue."""

RECEIPT_JOB: Final = "transfer_receipt"
"""The name under which steps of receipts wait in the queue."""

RECEIPTS_SIGNAL: Final = "transfer_receipts"


class SweepTransfers(SweepHeld):
    """Every transfer that is due gets its next step; those that an outgoing stop held back go on after it."""

    name = TRANSFERS_SIGNAL
    rows = held = store.DUE_ROWS
    job = TRANSFER_JOB
    argument = "transfer_id"
    lease_seconds = STEP_LEASE_SECONDS


class SweepReceipts(Sweep):
    """Every receipt that is due gets its next step."""

    name = RECEIPTS_SIGNAL
    rows = batch_store.DUE_RECEIPTS
    job = RECEIPT_JOB
    argument = "receipt_id"
    lease_seconds = STEP_LEASE_SECONDS


class EndUnapproved(Duty):
    """Ends transfers that a second person has declined, or that nobody approved in time."""

    name = "transfers_unapproved"

    def __init__(self, context: Context) -> None:
        self._context = context

    def run_due(self) -> int:
        """Ends a batch."""
        with self._context.database.read() as tx:
            if not store.has_unapproved(tx):
                return 0
        return end_unapproved(self._context, BATCH_ROWS)

    def next_due(self) -> datetime | None:
        """Now, if there is one."""
        with self._context.database.read() as tx:
            return self._context.clock.now() if store.has_unapproved(tx) else None


def take_message(tx: Tx, context: Context, merchant_id: int, told: Notification) -> str:
    """Takes the message that a transfer has moved on: Alipay is asked, and its answer is the fact.

    What cannot be about the transfer of that number is for a person.
    """
    read = read_message(told) if isinstance(told, Message) else None
    if not isinstance(read, TransferChanged) or not read.out_biz_no:
        return "kept; it names no transfer"
    found = store.find_transfer_of_merchant(tx, merchant_id, read.out_biz_no)
    if found is None:
        return "kept; the transfer it names is none of ours"
    transfer, now = lock_transfer(tx, found.id), context.clock.now()
    if transfer.status is TransferStatus.AWAITING_APPROVAL:
        detail = f"message {told.notify_id} tells of it, and nothing was sent"
        tell_person(tx, context, transfer, "transfer_not_sent_here", detail, now)
        return "it was not sent: a person is told"
    differs = _disagreement(transfer, told, read)
    if differs:
        detail = f"message {told.notify_id}: {', '.join(differs)} of another transfer"
        tell_person(tx, context, transfer, "transfer_message_differs", detail, now)
        return f"{', '.join(differs)} differs: a person is told"
    ask_soon(tx, context, transfer)
    return f"{read.status}: Alipay is asked"


def _disagreement(transfer: Transfer, told: Notification, read: TransferChanged) -> list[str]:
    pairs = (
        ("app_id", transfer.app_id, told.app_id),
        ("order_id", transfer.order_id, read.order_id),
        ("trans_amount", transfer.amount, read.trans_amount),
    )
    return [name for name, mine, said in pairs if mine and said and mine != said]
