"""Reports over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.reports.actions import make_report
from daozhang.service.web.context import context_of

router = APIRouter(prefix="/v1/reconciliation", tags=["reconciliation"])

Reader = Annotated[Caller, Depends(caller_with("books:read"))]

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A workbook.",
        "content": {XLSX: {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get(
    "/reports/{period}",
    response_class=Response,
    responses=_FILE,
    summary="A day or month as a workbook",
    dependencies=[Depends(caller_with("ledger:read"))],
)
def get_report(request: Request, caller: Reader, period: str) -> Response:
    """Who signed a day or a month, its days, the trial balance, what differed and what was posted, as XLSX.
    Of mismatches and postings 20,000 are listed; the summary says how many there are."""
    context = context_of(request)
    with context.database.read() as tx:
        merchant = find_merchant_by_id(tx, caller.merchant_id)
    content = make_report(
        context, caller.actor, merchant, period, {}, lambda row: row == caller.merchant_id
    )
    return workbook_response(content, f"report-{merchant.slug}-{period[:10]}.xlsx")


def workbook_response(content: bytes, name: str) -> Response:
    """A workbook as an answer that a browser saves."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=XLSX, headers=headers)
