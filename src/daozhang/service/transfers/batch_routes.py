"""Batches over HTTP: a sheet is tried, sent, and followed."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Body, Depends, Query, Request, Response

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.merchants.clients import clients_of
from daozhang.service.orders.routes import PAGE_ROWS_MAX
from daozhang.service.orders.views import Number
from daozhang.service.transfers import batch_store
from daozhang.service.transfers.batching import read_batch, request_batch, try_sheet
from daozhang.service.transfers.model import BatchStatus
from daozhang.service.transfers.templates import csv_template, workbook_template
from daozhang.service.transfers.views import BatchOut, BatchPage, TrialOut
from daozhang.service.web.context import context_of
from daozhang.service.web.idempotency import answer_once
from daozhang.service.web.pagination import read_cursor, write_cursor

router = APIRouter(prefix="/v1/transfer_batches", tags=["transfers"])

Reader = Annotated[Caller, Depends(caller_with("transfers:read"))]
Writer = Annotated[Caller, Depends(caller_with("transfers:write"))]
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
"""A workbook is taken under this name and under ``text/csv`` alike: the bytes say what they are."""

SheetBody = Annotated[bytes, Body(media_type="text/csv")]


@router.post(
    "",
    status_code=201,
    summary="Send a sheet of transfers",
    response_model=BatchOut,
    responses={202: {"model": BatchOut, "description": "It waits for a second person."}},
)
def post_batch(
    request: Request,
    caller: Writer,
    content: SheetBody,
    number: Annotated[Number, Query(description="Your number for the batch.")],
    title: Annotated[str, Query(min_length=1, max_length=128)],
) -> Response:
    """Sends all rows of a sheet, CSV or XLSX, or none. Try it first: `/trial` tells every row's problem.

    Idempotent by `number`; each row is one transfer for ever by its own number.
    """
    context = context_of(request)
    merchant = clients_of(request).merchant(caller.merchant_id)

    def send() -> tuple[int, BatchOut]:
        with context.database.begin() as tx:
            batch, is_new = request_batch(
                tx,
                context,
                merchant,
                number,
                title,
                content,
                caller.actor,
                key_made_by=caller.key_made_by,
            )
            shown = BatchOut.of(batch, batch_store.progress(tx, batch))
        if batch.status is BatchStatus.AWAITING_APPROVAL:
            return 202, shown
        return (201 if is_new else 200), shown

    return answer_once(request, caller, send)


@router.post("/trial", response_model=TrialOut, summary="Try a sheet of transfers")
def post_trial(request: Request, caller: Writer, content: SheetBody) -> TrialOut:
    """What a sheet would do: how much, every row's problem, and whether a second person decides.
    Nothing is written or sent."""
    context = context_of(request)
    merchant = clients_of(request).merchant(caller.merchant_id)
    with context.database.read() as tx:
        trial, _ = try_sheet(tx, context, merchant, content, caller.actor)
    return TrialOut.of(trial, caller.environment)


@router.get(
    "/template.csv",
    summary="An empty sheet",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}}},
)
def get_template(encoding: Literal["utf-8", "gbk"] = "utf-8") -> Response:
    """A sheet with all columns and an example of each kind of payee, for a spreadsheet. No key."""
    return Response(
        csv_template(encoding),
        media_type=f"text/csv; charset={encoding}",
        headers={"Content-Disposition": "attachment; filename=transfers.csv"},
    )


@router.get(
    "/template.xlsx",
    summary="An empty workbook",
    response_class=Response,
    responses={200: {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}},
)
def get_workbook_template() -> Response:
    """The same as a workbook, in which long numbers stay as they are entered. No key."""
    headers = {"Content-Disposition": "attachment; filename=transfers.xlsx"}
    return Response(workbook_template(), media_type=XLSX, headers=headers)


@router.get("/{number}", response_model=BatchOut, summary="Read a batch")
def get_batch(request: Request, caller: Reader, number: str) -> BatchOut:
    """The batch, and where its transfers stand."""
    with context_of(request).database.read() as tx:
        batch = read_batch(tx, caller.merchant_id, number)
        return BatchOut.of(batch, batch_store.progress(tx, batch))


@router.get("", response_model=BatchPage, summary="List batches")
def get_batches(
    request: Request,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = 20,
    cursor: str | None = None,
) -> BatchPage:
    """The merchant's batches, newest first, a page at a time."""
    before_id = None if cursor is None else read_cursor(cursor)
    with context_of(request).database.read() as tx:
        found = batch_store.list_batches(
            tx, caller.merchant_id, before_id=before_id, rows_max=limit + 1
        )
        page = found[:limit]
        shown = [BatchOut.of(batch, batch_store.progress(tx, batch)) for batch in page]
    return BatchPage(
        environment=caller.environment,
        data=shown,
        next_cursor=write_cursor(page[-1].id) if len(found) > limit else None,
    )
