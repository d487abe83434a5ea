"""Asking Alipay over HTTP: close an order, or ask about it now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.orders.actions import give_up, lock_order, read_order
from daozhang.service.orders.model import ClosingReason, OrderStatus
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
    context = context_of(request)
    inquirer: Inquirer = request.app.state.inquirer
    now = context.clock.now()
    with context.database.begin() as tx:
        order = lock_order(tx, read_order(tx, caller.merchant_id, out_trade_no).id)
        order = give_up(tx, order, ClosingReason.CLOSE, now)
    if order.status is OrderStatus.CLOSING:
        order = inquirer.close(order)
    return render(context, order, caller.merchant_slug)


@router.post("/{out_trade_no}/query", response_model=OrderOut, summary="Ask Alipay now")
def query_order(request: Request, caller: Writer, out_trade_no: str) -> OrderOut:
    """Asks Alipay about the order and settles the answer. Unknown answers change nothing."""
    context = context_of(request)
    inquirer: Inquirer = request.app.state.inquirer
    with context.database.read() as tx:
        order = read_order(tx, caller.merchant_id, out_trade_no)
    return render(context, inquirer.inquire(order), caller.merchant_slug)
