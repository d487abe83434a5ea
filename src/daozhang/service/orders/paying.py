"""Where a buyer pays: our own address, which signs at the click and leads to the cashier; and for the
merchant's own app an order string, signed when the app asks for it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.merchants.clients import clients_of
from daozhang.service.orders.actions import lock_numbered, lock_order
from daozhang.service.orders.handing import cashier_address, order_string, sign_for, unpayable
from daozhang.service.orders.model import Way
from daozhang.service.orders.refusals import OrderNotPayable, WayDiffers
from daozhang.service.orders.routes import PAY_PURPOSE
from daozhang.service.seal import TokenRefused
from daozhang.service.web.context import context_of
from daozhang.service.web.pages import page_response, problem_page

router = APIRouter(tags=["orders"])

Writer = Annotated[Caller, Depends(caller_with("orders:write"))]


class AppPaymentOut(BaseModel):
    """What the merchant's own app needs to open Alipay."""

    object: str = "app_payment"
    out_trade_no: str
    order_string: str = Field(
        description="Hand it to Alipay's SDK for phones unchanged: decode nothing, add nothing."
    )
    expires_at: datetime = Field(description="Until when it can be paid.")


@router.post(
    "/v1/orders/{out_trade_no}/app_payment",
    response_model=AppPaymentOut,
    summary="Sign an order for your app",
)
def post_app_payment(request: Request, caller: Writer, out_trade_no: str) -> AppPaymentOut:
    """The order string of an order with `way` `app`, signed now. Ask when the buyer is there."""
    context = context_of(request)
    with context.database.begin() as tx:
        order = lock_numbered(tx, caller.merchant_id, out_trade_no)
        if order.way is not Way.APP:
            raise WayDiffers(order, Way.APP)
        if (problem := unpayable(order, context)) is not None:
            raise OrderNotPayable(order, problem)
        sign_for(tx, order, context)
    text = order_string(context, clients_of(request), order)
    return AppPaymentOut(
        out_trade_no=order.out_trade_no, order_string=text, expires_at=order.expires_at
    )


@router.get("/pay/{token}", include_in_schema=False)
def pay(request: Request, token: str) -> Response:
    """Leads to Alipay's cashier, or says why it cannot."""
    context = context_of(request)
    try:
        order_id = context.sealer.read_token(PAY_PURPOSE, token, context.clock.now())["order_id"]
    except TokenRefused:
        return page_response(problem_page("link_invalid"), 404)
    with context.database.begin() as tx:
        order = lock_order(tx, int(order_id))
        problem = unpayable(order, context)
        if problem is None:
            sign_for(tx, order, context)
    if problem is not None:
        shown = problem_page(problem, continue_url=order.return_url)
        return page_response(shown, 410, framed_by=context.settings.cors_origins)
    address = cashier_address(context, clients_of(request), order)
    return RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})
