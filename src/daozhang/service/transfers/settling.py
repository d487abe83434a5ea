"""The one door by which what is learned of a transfer enters, and what follows from it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from daozhang.service.db import Tx
from daozhang.service.ledger.actions import post_entry
from daozhang.service.ledger.model import Account, Entry, EntryKind, Move
from daozhang.service.orders.actions import raise_surprise
from daozhang.service.orders.rules import SURPRISE
from daozhang.service.outbox.actions import append_event
from daozhang.service.transfers import rules, store
from daozhang.service.transfers.events import FAILED, subject_of, transfer_snapshot
from daozhang.service.transfers.model import Answer, Transfer, TransferStatus
from daozhang.service.web.context import Context

TRANSFERS_SIGNAL: Final = "transfers"
"""Wakes the sweep over transfers that are due, in this process."""


def lock_transfer(tx: Tx, transfer_id: int) -> Transfer:
    """The transfer with that row id, locked until the transaction ends: one writer at a time."""
    transfer = store.find_transfer_by_id(tx, transfer_id, lock=True)
    assert transfer is not None, f"transfer row {transfer_id} is gone, and they are never deleted"
    return transfer


def take_answer(
    tx: Tx, context: Context, transfer: Transfer, answer: Answer, now: datetime
) -> Transfer:
    """Moves a locked transfer by what one call or question has told.

    Applying the same answer again changes nothing that is announced or posted.
    """
    move = rules.move_for(transfer, answer)
    store.update_transfer(tx, transfer.id, **_columns_after(transfer, move, answer, now))
    after = lock_transfer(tx, transfer.id)
    left, came_back = rules.has_left(transfer, move, answer)
    if left:
        _post(tx, after, EntryKind.TRANSFER, answer.paid_at or now)
    if came_back:
        _post(tx, after, EntryKind.TRANSFER_RETURN, now)
    if move.event is not None:
        announce(tx, context, after, move.event, now)
    surprise = move.surprise
    if surprise is None and after.is_open and rules.person_is_due(after):
        surprise = "transfer_stays_unclear"
    if surprise is None and rules.bank_is_late(transfer, after, now):
        surprise = "transfer_stays_dealing"
    if surprise is not None:
        said = answer.code or answer.outcome.value
        tell_person(tx, context, after, surprise, f"{said}: {answer.message or ''}", now)
    return after


def _columns_after(
    transfer: Transfer, move: rules.Move, answer: Answer, now: datetime
) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "calling": False,
        "due_at": rules.due_after(move, transfer, answer, now),
        "order_id": transfer.order_id or answer.order_id,
        "pay_fund_order_id": transfer.pay_fund_order_id or answer.pay_fund_order_id,
        "updated_at": now,
    }
    ended = transfer.status in (TransferStatus.SUCCEEDED, TransferStatus.RETURNED)
    if not ended or move.to is not None:
        columns |= {"last_code": answer.code, "last_message": answer.message}
    if move.to is None:
        return columns
    columns["status"] = move.to.value
    if move.to is TransferStatus.SUCCEEDED:
        columns["paid_at"] = answer.paid_at or now
    if move.to is TransferStatus.RETURNED:
        columns["returned_at"] = now
    if move.to in (TransferStatus.SUCCEEDED, TransferStatus.FAILED, TransferStatus.RETURNED):
        columns["ended_at"] = transfer.ended_at or now
    return columns


def end_unsent(tx: Tx, context: Context, transfer: Transfer, code: str, now: datetime) -> Transfer:
    """Ends a locked transfer of which nothing was sent: nobody approved it."""
    assert transfer.status is TransferStatus.AWAITING_APPROVAL
    store.update_transfer(
        tx,
        transfer.id,
        status=TransferStatus.FAILED.value,
        last_code=code,
        due_at=None,
        ended_at=now,
        updated_at=now,
    )
    ended = lock_transfer(tx, transfer.id)
    announce(tx, context, ended, FAILED, now)
    return ended


def _post(tx: Tx, transfer: Transfer, kind: EntryKind, at: datetime) -> None:
    """Tells the ledger, once, that money has left the account, or has come back."""
    out = Move(Account.TRANSFERS, Account.AVAILABLE, transfer.amount)
    post_entry(
        tx,
        Entry(
            environment=transfer.environment,
            seller_id=transfer.seller_id,
            kind=kind,
            key=transfer.out_biz_no,
            at=at,
            moves=(out if kind is EntryKind.TRANSFER else out.reversed(),),
            merchant_id=transfer.merchant_id,
        ),
    )


def announce(tx: Tx, context: Context, transfer: Transfer, name: str, now: datetime) -> None:
    """Appends an event about a locked transfer."""
    append_event(
        tx,
        merchant_id=transfer.merchant_id,
        environment=transfer.environment,
        order_id=None,
        type=name,
        data={"transfer": transfer_snapshot(transfer)},
        now=now,
        signals=context.signals,
        subject=subject_of(transfer),
    )


def tell_person(
    tx: Tx, context: Context, transfer: Transfer, reason: str, detail: str, now: datetime
) -> None:
    """Writes a surprise about a transfer for a person, and announces it once."""
    store.update_transfer(tx, transfer.id, attention=True)
    if not raise_surprise(
        tx,
        merchant_id=transfer.merchant_id,
        order=None,
        out_trade_no=transfer.out_biz_no,
        reason=reason,
        detail=f"transfer {transfer.out_biz_no}: {detail}",
        amount=transfer.amount,
        now=now,
    ):
        return
    append_event(
        tx,
        merchant_id=transfer.merchant_id,
        environment=transfer.environment,
        order_id=None,
        type=SURPRISE,
        data={
            "order": None,
            "surprise": {"out_trade_no": transfer.out_biz_no, "reason": reason},
        },
        now=now,
        signals=context.signals,
        subject=subject_of(transfer),
    )


def ask_soon(tx: Tx, context: Context, transfer: Transfer) -> None:
    """Brings the next question about a locked transfer forward, unless nothing could be learned."""
    if transfer.status is TransferStatus.AWAITING_APPROVAL or transfer.calling:
        return
    store.update_transfer(tx, transfer.id, due_at=context.clock.now(), held_at=None)
    tx.after_commit(lambda: context.signals.wake(TRANSFERS_SIGNAL))
