"""The books over HTTP: balances, the trial balance, and what was posted to an account."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime

from daozhang.clock import business_day
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.ledger.model import Account
from daozhang.service.ledger.reading import (
    backfilling_until,
    book_of,
    list_account,
    read_balances,
    read_trial_balance,
)
from daozhang.service.ledger.views import BalancesOut, MoveOut, MovePage, TrialBalanceOut
from daozhang.service.web.context import context_of
from daozhang.service.web.pagination import read_cursor, write_cursor

router = APIRouter(prefix="/v1/ledger", tags=["ledger"])

Reader = Annotated[Caller, Depends(caller_with("ledger:read"))]

PAGE_ROWS_MAX = 100


@router.get("/balances", response_model=BalancesOut, summary="Balances at a moment")
def get_balances(
    request: Request,
    caller: Reader,
    at: Annotated[AwareDatetime | None, Query(description="At which moment; else now.")] = None,
) -> BalancesOut:
    """What each account of the merchant's Alipay account held."""
    context = context_of(request)
    moment = at or context.clock.now()
    with context.database.read() as tx:
        book = book_of(tx, caller.merchant_id)
        return BalancesOut.of(book, moment, read_balances(tx, book, moment), backfilling_until(tx))


@router.get("/trial_balance", response_model=TrialBalanceOut, summary="The trial balance")
def get_trial_balance(
    request: Request,
    caller: Reader,
    first: Annotated[date | None, Query(description="A day in Beijing; else the last one.")] = None,
    last: Annotated[date | None, Query(description="A day in Beijing; else today.")] = None,
) -> TrialBalanceOut:
    """All accounts over some days: what they held before, what came and went, and what they hold."""
    context = context_of(request)
    until = last or business_day(context.clock.now())
    with context.database.read() as tx:
        book = book_of(tx, caller.merchant_id)
        since = min(first or until, until)
        return TrialBalanceOut.of(read_trial_balance(tx, book, since, until))


@router.get("/moves", response_model=MovePage, summary="What was posted to an account")
def get_moves(
    request: Request,
    caller: Reader,
    account: Account,
    day: Annotated[date | None, Query(description="A day in Beijing; else today.")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = 20,
    cursor: str | None = None,
) -> MovePage:
    """What was posted to an account on a day, oldest first, a page at a time."""
    context = context_of(request)
    after_id = 0 if cursor is None else read_cursor(cursor)
    asked = day or business_day(context.clock.now())
    with context.database.read() as tx:
        book = book_of(tx, caller.merchant_id)
        found = list_account(tx, book, account, asked, after_id=after_id, rows_max=limit + 1)
    page = found[:limit]
    return MovePage(
        environment=caller.environment,
        data=[MoveOut.of(one) for one in page],
        next_cursor=write_cursor(page[-1].id) if len(found) > limit else None,
    )
