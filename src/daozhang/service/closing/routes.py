"""Months over HTTP, to be read: they are closed by people, who sign in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.closing.months import month_of_account
from daozhang.service.closing.rules import month_named
from daozhang.service.closing.views import MonthOut
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.web.context import context_of

router = APIRouter(prefix="/v1/reconciliation", tags=["reconciliation"])

Reader = Annotated[Caller, Depends(caller_with("books:read"))]
Month = Annotated[
    str,
    Path(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="Such as 2026-03, in Beijing."),
]


@router.get("/months/{month}", response_model=MonthOut, summary="A month and its days")
def get_month(request: Request, caller: Reader, month: Month) -> MonthOut:
    """How the days of a month stand, what stands in the way of closing it, and who closed it."""
    first = month_named(month)
    assert first is not None, "the pattern says what a month is"
    context = context_of(request)
    with context.database.read() as tx:
        merchant = find_merchant_by_id(tx, caller.merchant_id)
        sheet = month_of_account(tx, merchant, first, context.clock.now())
    return MonthOut.of(merchant, sheet)
