"""Transfers over HTTP: send, read, ask; receipts."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.merchants.clients import clients_of
from daozhang.service.orders.routes import PAGE_ROWS_MAX
from daozhang.service.receipts.refusals import ReceiptNotReady
from daozhang.service.transfers import batch_store, store
from daozhang.service.transfers.batching import read_batch
from daozhang.service.transfers.model import NewTransfer, TransferStatus
from daozhang.service.transfers.receipts import open_receipt, request_receipt
from daozhang.service.transfers.requesting import note, read_transfer, request_transfer
from daozhang.service.transfers.settling import ask_soon, lock_transfer
from daozhang.service.transfers.views import (
    ReceiptOut,
    TransferIn,
    TransferOut,
    TransferPage,
    reports_of,
)
from daozhang.service.web.context import context_of
from daozhang.service.web.idempotency import answer_once
from daozhang.service.web.pagination import read_cursor, write_cursor
from daozhang.service.web.problem import amount_of

router = APIRouter(prefix="/v1/transfers", tags=["transfers"])

Reader = Annotated[Caller, Depends(caller_with("transfers:read"))]
Writer = Annotated[Caller, Depends(caller_with("transfers:write"))]

ACCEPTED: Final = 202
"""The status of an answer that is not the last word."""


@router.post(
    "",
    status_code=201,
    summary="Send money",
    response_model=TransferOut,
    responses={ACCEPTED: {"model": TransferOut, "description": "It waits for a second person."}},
)
def post_transfer(request: Request, caller: Writer, wanted: TransferIn) -> Response:
    """Sends money to an Alipay account or a bank card. The answer says `requested`, or with 202
    `awaiting_approval`: whether it went is told by its end.

    Idempotent by `out_biz_no`: after an answer that did not come send the same again, never under a new
    number.
    """
    context = context_of(request)
    merchant = clients_of(request).merchant(caller.merchant_id)

    def send() -> tuple[int, TransferOut]:
        new = NewTransfer(
            out_biz_no=wanted.out_biz_no,
            amount=amount_of(wanted.amount, store.CURRENCY),
            payee=wanted.payee.payee(),
            title=wanted.title,
            remark=wanted.remark,
            scene_name=wanted.scene_name,
            scene_reports=reports_of(wanted),
        )
        with context.database.begin() as tx:
            transfer, is_new = request_transfer(
                tx, context, merchant, new, caller.actor, key_made_by=caller.key_made_by
            )
        if transfer.status is TransferStatus.AWAITING_APPROVAL:
            return ACCEPTED, TransferOut.of(transfer)
        return (201 if is_new else 200), TransferOut.of(transfer)

    return answer_once(request, caller, send)


@router.get("", response_model=TransferPage, summary="List transfers")
def get_transfers(
    request: Request,
    caller: Reader,
    status: TransferStatus | None = None,
    batch: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = 20,
    cursor: str | None = None,
) -> TransferPage:
    """The merchant's transfers, newest first, a page at a time; of one `batch` by its number."""
    before_id = None if cursor is None else read_cursor(cursor)
    with context_of(request).database.read() as tx:
        found = store.list_transfers(
            tx,
            caller.merchant_id,
            before_id=before_id,
            rows_max=limit + 1,
            status=status,
            batch_id=None if batch is None else read_batch(tx, caller.merchant_id, batch).id,
        )
    page = found[:limit]
    return TransferPage(
        environment=caller.environment,
        data=[TransferOut.of(transfer) for transfer in page],
        next_cursor=write_cursor(page[-1].id) if len(found) > limit else None,
    )


@router.get("/{out_biz_no}", response_model=TransferOut, summary="Read a transfer")
def get_transfer(request: Request, caller: Reader, out_biz_no: str) -> TransferOut:
    """The transfer as it stands."""
    with context_of(request).database.read() as tx:
        return TransferOut.of(read_transfer(tx, caller.merchant_id, out_biz_no))


@router.post("/{out_biz_no}/query", response_model=TransferOut, summary="Ask about a transfer")
def query_transfer(request: Request, caller: Writer, out_biz_no: str) -> TransferOut:
    """Brings the next question to Alipay forward, and shows the transfer as it stands until then."""
    context = context_of(request)
    with context.database.begin() as tx:
        transfer = lock_transfer(tx, read_transfer(tx, caller.merchant_id, out_biz_no).id)
        ask_soon(tx, context, transfer)
        note(tx, caller.actor, "transfer.asked", transfer, context.clock.now())
        return TransferOut.of(lock_transfer(tx, transfer.id))


# ---- receipts


@router.post(
    "/{out_biz_no}/receipt",
    response_model=ReceiptOut,
    status_code=ACCEPTED,
    summary="Have a receipt made",
)
def post_receipt(request: Request, caller: Writer, out_biz_no: str) -> ReceiptOut:
    """Has Alipay make the e-receipt (电子回单) of a transfer that has succeeded, and keeps the file.

    Asked for again it is the same one; one that failed is made anew.
    """
    context = context_of(request)
    with context.database.begin() as tx:
        transfer = lock_transfer(tx, read_transfer(tx, caller.merchant_id, out_biz_no).id)
        receipt = request_receipt(tx, context, transfer, caller.actor)
        return ReceiptOut.of(transfer, receipt)


@router.get("/{out_biz_no}/receipt", response_model=ReceiptOut, summary="How far a receipt is")
def get_receipt(request: Request, caller: Reader, out_biz_no: str) -> ReceiptOut:
    """How far the receipt of a transfer is; 409 `receipt_not_ready` if nobody asked for one."""
    with context_of(request).database.read() as tx:
        transfer = read_transfer(tx, caller.merchant_id, out_biz_no)
        receipt = batch_store.find_receipt(tx, transfer.id)
    if receipt is None:
        raise ReceiptNotReady
    return ReceiptOut.of(transfer, receipt)


@router.get(
    "/{out_biz_no}/receipt.pdf",
    summary="Download a receipt",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
def get_receipt_file(request: Request, caller: Reader, out_biz_no: str) -> Response:
    """The file, as Alipay made it. It names the payee: each download is in the audit trail."""
    context = context_of(request)
    with context.database.begin() as tx:
        transfer = read_transfer(tx, caller.merchant_id, out_biz_no)
        content = open_receipt(tx, context, transfer)
        note(tx, caller.actor, "transfer.receipt_downloaded", transfer, context.clock.now())
    name = f"attachment; filename=receipt-{out_biz_no}.pdf"
    return Response(content, media_type="application/pdf", headers={"Content-Disposition": name})
