"""Receipts of an account over HTTP: have one made, look how far it is, download it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.receipts.actions import open_receipt, read_receipt, request_receipt
from daozhang.service.receipts.model import AccountReceiptKind
from daozhang.service.receipts.views import AccountReceiptIn, AccountReceiptOut
from daozhang.service.web.context import context_of

router = APIRouter(prefix="/v1/receipts", tags=["receipts"])

Reader = Annotated[Caller, Depends(caller_with("books:read"))]
Writer = Annotated[Caller, Depends(caller_with("books:write"))]


@router.post("", status_code=202, response_model=AccountReceiptOut, summary="Have a receipt made")
def post_receipt(request: Request, caller: Writer, body: AccountReceiptIn) -> AccountReceiptOut:
    """Has Alipay make an e-receipt (电子回单) of a day, a month, some days or one movement, and keeps the
    file. Asked for again it is the same one; one that failed is made anew."""
    made = request_receipt(
        context_of(request), caller.actor, caller.merchant_id, body.kind, body.key
    )
    return AccountReceiptOut.of(made)


@router.get("/{kind}/{key}", response_model=AccountReceiptOut, summary="How far a receipt is")
def get_receipt(
    request: Request, caller: Reader, kind: AccountReceiptKind, key: str
) -> AccountReceiptOut:
    """How far a receipt is; 409 `receipt_not_ready` if nobody asked for one."""
    with context_of(request).database.read() as tx:
        return AccountReceiptOut.of(read_receipt(tx, caller.merchant_id, kind, key))


@router.get(
    "/{kind}/{key}/file",
    summary="Download a receipt",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
def get_receipt_file(
    request: Request, caller: Reader, kind: AccountReceiptKind, key: str
) -> Response:
    """The file, as Alipay made it. It may name buyers: each download is in the audit trail."""
    content = open_receipt(context_of(request), caller.actor, caller.merchant_id, kind, key)
    # Keys of receipts have no letters that a header could not hold.
    name = f"attachment; filename=receipt-{kind.value}-{key}.pdf"
    return Response(content, media_type="application/pdf", headers={"Content-Disposition": name})
