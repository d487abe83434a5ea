"""Matching over HTTP: the run of a day, what differs, a run again, and the rules that set lines aside."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, cast

from fastapi import APIRouter, Depends, Query, Request

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.bills.fetching import Bills
from daozhang.service.bills.importing import BillAccount, account_of
from daozhang.service.reconciliation import asking, store
from daozhang.service.reconciliation.model import MismatchClass
from daozhang.service.reconciliation.refusals import MismatchNotFound
from daozhang.service.reconciliation.views import (
    DayOut,
    MismatchOut,
    MismatchPage,
    RuleIn,
    RuleList,
    RuleOut,
    RunOut,
)
from daozhang.service.web.context import Context, context_of
from daozhang.service.web.pagination import RowNumber, read_cursor, write_cursor

PAGE_ROWS_MAX: Final = 100

router = APIRouter(prefix="/v1/reconciliation", tags=["reconciliation"])

Reader = Annotated[Caller, Depends(caller_with("books:read"))]
Writer = Annotated[Caller, Depends(caller_with("books:write"))]


@router.get("/days/{day}", response_model=DayOut, summary="The matching of a day")
def get_day(request: Request, caller: Reader, day: date) -> DayOut:
    """How many lines of the day's bill agree with the books, and what differs, by class."""
    context = context_of(request)
    return _day(context, _account(context, caller), day)


@router.post(
    "/days/{day}/runs", status_code=202, response_model=DayOut, summary="Match a day again"
)
def post_run(request: Request, caller: Writer, day: date) -> DayOut:
    """Has the bills of a day read and matched again, in the background: after a rule has changed, or a
    payment was asked about."""
    context = context_of(request)
    account = _account(context, caller)
    fetcher = cast("Bills", request.app.state.bills)
    asking.run_again(context, caller.actor, fetcher, account, day)
    return _day(context, account, day)


@router.get("/mismatches", response_model=MismatchPage, summary="What differs")
def get_mismatches(
    request: Request,
    caller: Reader,
    day: Annotated[date | None, Query(description="Of one day in Beijing only.")] = None,
    mismatch: Annotated[MismatchClass | None, Query(description="Of one class only.")] = None,
    is_open: Annotated[
        bool | None, Query(alias="open", description="Only what differs still, or what has ended.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = 20,
    cursor: str | None = None,
) -> MismatchPage:
    """In what bills and books differ, newest first, a page at a time."""
    context = context_of(request)
    account = _account(context, caller)
    before_id = None if cursor is None else read_cursor(cursor)
    with context.database.read() as tx:
        found = store.list_mismatches(
            tx,
            account.environment,
            account.seller_id,
            day=day,
            mismatch=None if mismatch is None else mismatch.value,
            is_open=is_open,
            before_id=before_id,
            rows_max=limit + 1,
        )
    page = found[:limit]
    return MismatchPage(
        environment=caller.environment,
        data=[MismatchOut.of(one) for one in page],
        next_cursor=write_cursor(page[-1].id) if len(found) > limit else None,
    )


@router.get("/mismatches/{mismatch_id}", response_model=MismatchOut, summary="One mismatch")
def get_mismatch(request: Request, caller: Reader, mismatch_id: str) -> MismatchOut:
    """Something that differs, with what both sides say."""
    context = context_of(request)
    account = _account(context, caller)
    with context.database.read() as tx:
        found = store.find_mismatch(tx, mismatch_id)
    if found is None or (found.environment, found.seller_id) != (
        account.environment,
        account.seller_id,
    ):
        raise MismatchNotFound(mismatch_id)
    return MismatchOut.of(found)


@router.get("/rules", response_model=RuleList, summary="The rules that set lines aside")
def get_rules(request: Request, caller: Reader) -> RuleList:
    """How orders of other systems on the same account begin: their lines are nobody's suspicion."""
    context = context_of(request)
    account = _account(context, caller)
    with context.database.read() as tx:
        found = store.list_rules(tx, account.environment, account.seller_id)
    return RuleList(environment=caller.environment, data=[RuleOut.of(one) for one in found])


@router.post("/rules", status_code=201, response_model=RuleOut, summary="Set lines aside")
def post_rule(request: Request, caller: Writer, body: RuleIn) -> RuleOut:
    """Sets lines that the books do not know and whose number begins so aside, from the next run on. The
    same rule twice is one."""
    context = context_of(request)
    account = _account(context, caller)
    return RuleOut.of(asking.add_rule(context, caller.actor, account, body.prefix, body.note))


@router.delete("/rules/{rule_id}", status_code=204, summary="Set lines aside no longer")
def delete_rule(request: Request, caller: Writer, rule_id: RowNumber) -> None:
    """Takes a rule away; the next run shows its lines as missing here again."""
    context = context_of(request)
    asking.remove_rule(context, caller.actor, _account(context, caller), rule_id)


def _account(context: Context, caller: Caller) -> BillAccount:
    with context.database.read() as tx:
        return account_of(tx, caller.merchant_id)


def _day(context: Context, account: BillAccount, day: date) -> DayOut:
    run = asking.last_run_of(context, account, day)
    with context.database.read() as tx:
        counts = store.open_counts(tx, account.environment, account.seller_id, day, day)
    return DayOut(
        environment=account.environment,
        seller_id=account.seller_id,
        day=day,
        run=None if run is None else RunOut.of(run),
        open=DayOut.counts_of(counts.get(day, {})),
    )
