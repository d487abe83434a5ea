"""Transfers in the hands of people: what somebody at a desk may read, try, ask and take away."""

from __future__ import annotations

from daozhang.service.merchants.model import Merchant
from daozhang.service.people.actions import note_personal_view
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.transfers import batch_store, rules, store
from daozhang.service.transfers.batching import Trial, read_batch, try_sheet
from daozhang.service.transfers.model import (
    Batch,
    NewTransfer,
    Receipt,
    Transfer,
    TransferLimits,
    TransferStatus,
)
from daozhang.service.transfers.payees import open_payee
from daozhang.service.transfers.receipts import open_receipt, request_receipt
from daozhang.service.transfers.refusals import TransferMayHaveGone, TransferNotFound
from daozhang.service.transfers.requesting import note, read_transfer, try_transfer
from daozhang.service.transfers.settling import ask_soon, lock_transfer
from daozhang.service.web.context import Context


def limits_for(context: Context, person: Person, merchant_id: int) -> TransferLimits | None:
    """What the merchant lets be sent; ``None`` if nobody has said, so nothing."""
    require(person, Right.TRANSFERS_READ, merchant_id)
    with context.database.read() as tx:
        return store.find_limits(tx, merchant_id)


def list_transfers_for(
    context: Context,
    person: Person,
    merchant_id: int,
    *,
    status: TransferStatus | None,
    batch: str | None,
    before_id: int | None,
    rows_max: int,
) -> list[Transfer]:
    """A merchant's transfers, newest first; of one ``batch`` by its number. Raises `BatchNotFound`."""
    require(person, Right.TRANSFERS_READ, merchant_id)
    with context.database.read() as tx:
        return store.list_transfers(
            tx,
            merchant_id,
            before_id=before_id,
            rows_max=rows_max,
            status=status,
            batch_id=None if batch is None else read_batch(tx, merchant_id, batch).id,
        )


def list_batches_for(
    context: Context, person: Person, merchant_id: int, *, before_id: int | None, rows_max: int
) -> list[tuple[Batch, list[batch_store.Share]]]:
    """A merchant's sheets of transfers, newest first, each with how many stand how."""
    require(person, Right.TRANSFERS_READ, merchant_id)
    with context.database.read() as tx:
        found = batch_store.list_batches(tx, merchant_id, before_id=before_id, rows_max=rows_max)
        return [(batch, batch_store.progress(tx, batch)) for batch in found]


def batch_for(
    context: Context, person: Person, merchant_id: int, number: str
) -> tuple[Batch, list[batch_store.Share]]:
    """A sheet of transfers, and how many stand how. Raises `BatchNotFound`."""
    require(person, Right.TRANSFERS_READ, merchant_id)
    with context.database.read() as tx:
        batch = read_batch(tx, merchant_id, number)
        return batch, batch_store.progress(tx, batch)


def try_transfer_as(context: Context, actor: Person, merchant: Merchant, new: NewTransfer) -> bool:
    """Whether a transfer would wait for a second person. Nothing is written. Raises what
    `request_transfer` raises."""
    require(actor, Right.TRANSFERS_REQUEST, merchant.id)
    with context.database.read() as tx:
        return try_transfer(tx, context, merchant, new, actor.actor)


def try_sheet_as(context: Context, actor: Person, merchant: Merchant, content: bytes) -> Trial:
    """What a sheet would do. Nothing is written. Raises `TransfersNotSetUp`."""
    require(actor, Right.TRANSFERS_REQUEST, merchant.id)
    with context.database.read() as tx:
        trial, _ = try_sheet(tx, context, merchant, content, actor.actor)
        return trial


def wish_again_as(
    context: Context, actor: Person, merchant_id: int, out_biz_no: str
) -> NewTransfer:
    """What would be sent once more of a transfer that failed or came back: the same payee, under a number of
    its own. Nothing is written but that somebody has seen the payee. Raises `TransferMayHaveGone`."""
    require(actor, Right.TRANSFERS_REQUEST, merchant_id)
    require(actor, Right.PERSONAL_READ, merchant_id)
    with context.database.read() as tx:
        transfer = read_transfer(tx, merchant_id, out_biz_no)
    if not transfer.may_go_again:
        raise TransferMayHaveGone(out_biz_no)
    note_personal_view(context, actor, f"transfer:{out_biz_no}", merchant_id=merchant_id)
    return NewTransfer(
        out_biz_no=rules.number_again(out_biz_no),
        amount=transfer.amount,
        payee=open_payee(context.sealer, transfer),
        title=transfer.title,
        remark=transfer.remark,
    )


def sent_again_as(context: Context, actor: Person, merchant_id: int, out_biz_no: str) -> str | None:
    """The number under which a transfer that failed or came back was sent once more; ``None`` if it was not."""
    require(actor, Right.TRANSFERS_READ, merchant_id)
    number = rules.number_again(out_biz_no)
    with context.database.read() as tx:
        try:
            return read_transfer(tx, merchant_id, number).out_biz_no
        except TransferNotFound:
            return None


def query_transfer_as(context: Context, actor: Person, merchant_id: int, out_biz_no: str) -> None:
    """Brings the next question to Alipay about a transfer forward."""
    require(actor, Right.TRANSFERS_REQUEST, merchant_id)
    with context.database.begin() as tx:
        transfer = lock_transfer(tx, read_transfer(tx, merchant_id, out_biz_no).id)
        ask_soon(tx, context, transfer)
        note(tx, actor.actor, "transfer.asked", transfer, context.clock.now())


def request_receipt_as(
    context: Context, actor: Person, merchant_id: int, out_biz_no: str
) -> Receipt:
    """Has the receipt of a transfer made. Raises `ReceiptNotPossible`."""
    require(actor, Right.TRANSFERS_REQUEST, merchant_id)
    with context.database.begin() as tx:
        transfer = lock_transfer(tx, read_transfer(tx, merchant_id, out_biz_no).id)
        return request_receipt(tx, context, transfer, actor.actor)


def open_receipt_as(context: Context, actor: Person, merchant_id: int, out_biz_no: str) -> bytes:
    """The file of a receipt. It names the payee, so it takes the right to see one unmasked, and each
    download is in the trail. Raises `ReceiptNotReady`."""
    require(actor, Right.TRANSFERS_READ, merchant_id)
    require(actor, Right.PERSONAL_READ, merchant_id)
    with context.database.begin() as tx:
        transfer = read_transfer(tx, merchant_id, out_biz_no)
        content = open_receipt(tx, context, transfer)
        now = context.clock.now()
        note(tx, actor.actor, "transfer.receipt_downloaded", transfer, now)
        return content
