"""Payouts over HTTP: what is expected of the account, and what Alipay says is in it."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.ledger.reading import book_of
from daozhang.service.payouts.calendars import known_working_days
from daozhang.service.payouts.comparing import Balances
from daozhang.service.payouts.reading import read_forecast
from daozhang.service.payouts.views import ComparisonOut, PayoutsOut
from daozhang.service.web.context import context_of

router = APIRouter(prefix="/v1/ledger", tags=["ledger"])

Reader = Annotated[Caller, Depends(caller_with("ledger:read"))]


@router.get("/payouts", response_model=PayoutsOut, summary="What will be paid out, and when")
def get_payouts(request: Request, caller: Reader) -> PayoutsOut:
    """What can be spent now, what Alipay will pay out on which day, and what is frozen and why."""
    context = context_of(request)
    with context.database.read() as tx:
        book = book_of(tx, caller.merchant_id)
        return PayoutsOut.of(read_forecast(tx, book, context.clock.now(), known_working_days()))


@router.post("/balance_query", response_model=ComparisonOut, summary="Ask Alipay for the balance")
def post_balance_query(request: Request, caller: Reader) -> ComparisonOut:
    """Asks Alipay what is in the account and shows it beside the ledger, with what makes them differ. It
    changes nothing here."""
    balances = cast("Balances", request.app.state.balances)
    return ComparisonOut.of(balances.compare(caller.merchant_id))
