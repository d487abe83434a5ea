"""Asking Alipay over HTTP: close an order, or ask about it now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.inquiries.app_results import SHOWN, is_signed_for, what_to_show
from daozhang.service.inquiries.by_hand import close_by_hand
from daozhang.service.orders.actions import read_order
from daozhang.service.orders.model import Way
from daozhang.service.orders.refusals import WayDiffers
from daozhang.service.orders.routes import render
from daozhang.service.orders.views import OrderOut
from daozhang.service.web.context import context_of

router = APIRouter(prefix="/v1/orders", tags=["orders"])

Writer = Annotated[Caller, Depends(caller_with("orders:write"))]


@router.post("/{out_trade_no}/close", response_model=OrderOut, summary="Close an unpaid order")
def close_order(request: Request, caller: Writer, out_trade_no: str) -> OrderOut:
    """Gives an unpaid order up and closes it at Alipay.

    The answer is `closed` once Alipay has proven it, else `closing`: an address that was handed
    out stays payable until its time runs out, and what is paid meanwhile is `order.paid_late`.
    """
    inquirer: Inquirer = request.app.state.inquirer
    order = close_by_hand(inquirer, caller.actor, caller.merchant_id, out_trade_no)
    return render(context_of(request), order, caller.merchant_slug)


class AppResultIn(BaseModel):
    """What Alipay's SDK handed your app, unchanged."""

    model_config = ConfigDict(extra="ignore")

    resultStatus: str = Field(max_length=16)  # noqa: N815 - the SDK's own name
    result: str = Field("", max_length=65536)
    memo: str = Field("", max_length=1024)


class AppResultOut(BaseModel):
    """What to show the buyer. What counts is the order beside it."""

    object: str = "app_result"
    result_status: str
    signed_by_alipay: bool = Field(
        description="Whether `result` is Alipay's, unchanged, and about this very order."
    )
    show: str = Field(description="paid, confirming, cancelled, not_paid, closed or refunded")
    message: str
    message_zh: str
    order: OrderOut


@router.post(
    "/{out_trade_no}/app_result",
    response_model=AppResultOut,
    summary="Check what your app got back",
)
def check_app_result(
    request: Request, caller: Writer, out_trade_no: str, got: AppResultIn
) -> AppResultOut:
    """Asks Alipay about the order, and says what the app should show.

    What the phone says is never believed: it can be replayed, lost or made up. It is checked so
    that a meddled one is known, and the answer is what Alipay says of the order now.
    """
    context = context_of(request)
    inquirer: Inquirer = request.app.state.inquirer
    with context.database.read() as tx:
        order = read_order(tx, caller.merchant_id, out_trade_no)
    if order.way is not Way.APP:
        raise WayDiffers(order, Way.APP)
    signed = is_signed_for(order, got.result, inquirer.clients)
    order = inquirer.inquire(order)
    show = what_to_show(order, got.resultStatus)
    english, chinese = SHOWN[show]
    return AppResultOut(
        result_status=got.resultStatus,
        signed_by_alipay=signed,
        show=show,
        message=english,
        message_zh=chinese,
        order=render(context, order, caller.merchant_slug),
    )


@router.post("/{out_trade_no}/query", response_model=OrderOut, summary="Ask Alipay now")
def query_order(request: Request, caller: Writer, out_trade_no: str) -> OrderOut:
    """Asks Alipay about the order and settles the answer. Unknown answers change nothing."""
    context = context_of(request)
    inquirer: Inquirer = request.app.state.inquirer
    with context.database.read() as tx:
        order = read_order(tx, caller.merchant_id, out_trade_no)
    return render(context, inquirer.inquire(order), caller.merchant_slug)
