"""Withdrawals against the bank statement, over HTTP."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Body, Depends, Query, Request

from daozhang.clock import business_day
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.banking.actions import import_statement, match, read_bank_side
from daozhang.service.banking.statements import columns_of
from daozhang.service.banking.views import BankSideOut, ImportedOut, MatchIn, MatchOut
from daozhang.service.ledger.reading import book_of
from daozhang.service.web.context import context_of

router = APIRouter(prefix="/v1/bank", tags=["bank"])

Reader = Annotated[Caller, Depends(caller_with("books:read"))]
Writer = Annotated[Caller, Depends(caller_with("books:write"))]
StatementBody = Annotated[bytes, Body(media_type="text/csv")]
Column = Annotated[
    str | None,
    Query(min_length=1, max_length=64, description="How your bank calls it, if not known."),
]

DAYS_SHOWN: Final = timedelta(days=90)


@router.post(
    "/statements",
    status_code=201,
    response_model=ImportedOut,
    summary="Import a bank statement",
)
def post_statement(
    request: Request,
    caller: Writer,
    content: StatementBody,
    date_column: Column = None,
    amount_column: Column = None,
    counterparty_column: Column = None,
    reference_column: Column = None,
) -> ImportedOut:
    """Keeps what a statement of the merchant's bank, CSV or XLSX, has of Alipay's payments. The same lines
    again are the same."""
    columns = columns_of(date_column, amount_column, counterparty_column, reference_column)
    done = import_statement(context_of(request), caller.actor, caller.merchant_id, content, columns)
    return ImportedOut.of(done, caller.environment)


@router.get("", response_model=BankSideOut, summary="Withdrawals against the bank")
def get_bank(
    request: Request,
    caller: Reader,
    first: Annotated[date | None, Query(description="Else 90 days before the last.")] = None,
    last: Annotated[date | None, Query(description="A day in Beijing; else today.")] = None,
) -> BankSideOut:
    """What left for the bank and what arrived there, matched or not, and what probably belongs together.
    What is open is shown however old it is."""
    context = context_of(request)
    until = last or business_day(context.clock.now())
    with context.database.read() as tx:
        book = book_of(tx, caller.merchant_id)
        since = first or until - DAYS_SHOWN
        return BankSideOut.of(read_bank_side(tx, book, min(since, until), until))


@router.post(
    "/matches",
    status_code=202,
    response_model=MatchOut,
    summary="Match withdrawals with lines of the bank",
)
def post_match(request: Request, caller: Writer, body: MatchIn) -> MatchOut:
    """Says that the withdrawals of some days are some lines of the bank. A person with `ledger:approve`
    who did not ask for it agrees in the console; then the ledger has the money at the bank."""
    made = match(
        context_of(request),
        caller.actor,
        caller.merchant_id,
        dict.fromkeys(body.days),
        dict.fromkeys(body.lines),
        key_made_by=caller.key_made_by,
    )
    return MatchOut.of(made)
