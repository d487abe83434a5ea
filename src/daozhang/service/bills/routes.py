"""Bills over HTTP: those of some days with their files, a file by hand, the file as it came, fetching now."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from daozhang.clock import business_day
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.bills import rules, store
from daozhang.service.bills.fetching import BYTES_MAX, Bills
from daozhang.service.bills.importing import account_of, ask_now, import_file
from daozhang.service.bills.keeping import choose_file, laid_out, room
from daozhang.service.bills.model import Statement, StatementKind
from daozhang.service.bills.refusals import SpanTooLong, StatementNotFound
from daozhang.service.bills.views import BillList, BillOut, ChoiceIn
from daozhang.service.web.bodies import write_body
from daozhang.service.web.context import Context, context_of

DAYS_MAX: Final = 100

router = APIRouter(prefix="/v1/bills", tags=["bills"])

Reader = Annotated[Caller, Depends(caller_with("books:read"))]
Writer = Annotated[Caller, Depends(caller_with("books:write"))]
Period = Annotated[
    str,
    Path(
        pattern=r"^20[0-9]{2}-[0-9]{2}(-[0-9]{2})?$",
        description="A day, such as 2026-03-01, or a month, such as 2026-03, in Beijing.",
    ),
]

_BYTES: Final[dict[str, Any]] = {
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
}


@router.get("", response_model=BillList, summary="The bills of some days")
def get_bills(
    request: Request,
    caller: Reader,
    first: Annotated[date | None, Query(description="A day in Beijing; else that of last.")] = None,
    last: Annotated[date | None, Query(description="A day in Beijing; else today.")] = None,
) -> BillList:
    """The bills of the merchant's Alipay account from ``first`` to ``last``, newest first, with their
    files. A month's is among them if its first day is."""
    context = context_of(request)
    until = last or business_day(context.clock.now())
    since = first or until
    if (until - since).days > DAYS_MAX:
        raise SpanTooLong(DAYS_MAX)
    begins = since.isoformat()[:7] if since.day == 1 else since.isoformat()
    with context.database.read() as tx:
        account = account_of(tx, caller.merchant_id)
        found = store.list_statements(
            tx, account.environment, account.seller_id, begins, until.isoformat()
        )
        files = store.list_files_of(tx, [one.id for one in found])
    return BillList(
        environment=caller.environment,
        data=[BillOut.of(one, files.get(one.id, [])) for one in found],
    )


@router.post(
    "/files",
    status_code=202,
    response_model=BillOut,
    summary="Give the file of a bill",
    openapi_extra={"requestBody": {"required": True, **_BYTES}},
)
async def post_file(
    request: Request,
    caller: Writer,
    name: Annotated[str, Query(max_length=255, description="The file's name.")] = "bill.zip",
) -> BillOut:
    """Keeps the body as the file of the day or month that it says itself, and has it read at once. The
    same bytes again are the same file."""
    context, jobs = context_of(request), _bills_of(request).jobs
    with room(context) as place:
        path = place / "given"
        await write_body(request, path, BYTES_MAX)

        def keep() -> BillOut:
            with context.database.read() as tx:
                account = account_of(tx, caller.merchant_id)
            statement, _ = import_file(context, jobs, caller.actor, [account], path, name)
            return _show(context, statement)

        return await run_in_threadpool(keep)


@router.get(
    "/files/{file_id}/content",
    response_class=FileResponse,
    responses={200: {"description": "The bytes of the file.", **_BYTES}},
    summary="A file as it came",
)
def get_content(request: Request, caller: Reader, file_id: str) -> FileResponse:
    """The file of a bill, word for word; its `sha256` is that of these bytes."""
    context = context_of(request)
    with context.database.read() as tx:
        account = account_of(tx, caller.merchant_id)
        file = store.find_file_of_account(tx, account.environment, account.seller_id, file_id)
    if file is None:
        raise StatementNotFound(file_id)
    with ExitStack() as stack:
        path = stack.enter_context(laid_out(context, file))
        # Whoever reads slowly reads from the disk, and holds no transaction.
        return FileResponse(
            path,
            filename=file.name,
            media_type="application/octet-stream",
            background=BackgroundTask(stack.pop_all().close),
        )


@router.get("/{kind}/{period}", response_model=BillOut, summary="One bill")
def get_bill(request: Request, caller: Reader, kind: StatementKind, period: Period) -> BillOut:
    """The bill of a kind (`trade`: payments and refunds, `signcustomer`: every movement of the account)
    and a day or month, with its files."""
    context = context_of(request)
    return _show(context, _find(context, caller, kind, period))


@router.post("/{kind}/{period}/choose", response_model=BillOut, summary="Choose which file stands")
def post_choice(
    request: Request, caller: Writer, kind: StatementKind, period: Period, body: ChoiceIn
) -> BillOut:
    """Lets another of a bill's files stand for its time, and has it read at once."""
    context = context_of(request)
    statement = _find(context, caller, kind, period)
    jobs = _bills_of(request).jobs
    chosen = choose_file(context, jobs, caller.actor, statement.id, body.file)
    return _show(context, chosen)


@router.post(
    "/{kind}/{period}/fetch", status_code=202, response_model=BillOut, summary="Fetch a bill now"
)
def post_fetch(request: Request, caller: Writer, kind: StatementKind, period: Period) -> BillOut:
    """Asks Alipay for a bill now, in the background; it is read as soon as it is here."""
    if not rules.is_period(period):
        raise StatementNotFound(period)
    context = context_of(request)
    with context.database.read() as tx:
        account = account_of(tx, caller.merchant_id)
    jobs = _bills_of(request).jobs
    return _show(context, ask_now(context, caller.actor, account, kind, period, jobs))


def _bills_of(request: Request) -> Bills:
    return cast("Bills", request.app.state.bills)


def _find(context: Context, caller: Caller, kind: StatementKind, period: str) -> Statement:
    with context.database.read() as tx:
        account = account_of(tx, caller.merchant_id)
        found = store.find_statement(tx, account.environment, account.seller_id, kind.value, period)
    if found is None:
        raise StatementNotFound(period)
    return found


def _show(context: Context, statement: Statement) -> BillOut:
    with context.database.read() as tx:
        return BillOut.of(statement, store.list_files(tx, statement.id))
