"""Telling Alipay what became of an order after its payment: kept, called off, or broken (apis.md §2.4)."""

from __future__ import annotations

import json
from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.operations.trade import TradeOrderinfoSync
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.merchants.clients import clients_of
from daozhang.service.orders.actions import read_order
from daozhang.service.orders.model import Order
from daozhang.service.orders.views import Number
from daozhang.service.refusals import Refusal
from daozhang.service.web.context import context_of

router = APIRouter(prefix="/v1/orders", tags=["orders"])

Writer = Annotated[Caller, Depends(caller_with("orders:write"))]


class OrderinfoRefused(Refusal):
    """Alipay does not take it, or there is no trade that it could be about."""

    code: ClassVar[str] = "orderinfo_refused"
    title: ClassVar[str] = "Alipay does not take this about the order"

    def __init__(self, order: Order, english: str, chinese: str, **more: str | None) -> None:
        super().__init__(
            f"Order {order.out_trade_no!r}: {english}",
            f"订单 {order.out_trade_no!r}：{chinese}",
            **more,
        )


class OrderinfoUnknown(Refusal):
    """Alipay's answer did not come, or could not be believed."""

    code: ClassVar[str] = "orderinfo_unknown"
    status: ClassVar[int] = 503
    title: ClassVar[str] = "Nobody knows whether Alipay took it"

    def __init__(self, order: Order, reason: str) -> None:
        super().__init__(
            f"Alipay did not answer about order {order.out_trade_no!r} ({reason}). Send the same again: the "
            "number makes it one word.",
            f"支付宝未答复订单 {order.out_trade_no!r}。请以相同内容重发：同一请求号只生效一次。",
            reason=reason,
        )


class OrderinfoIn(BaseModel):
    """What became of an order."""

    model_config = ConfigDict(extra="forbid")

    out_request_no: Number = Field(
        description="Your number for this word: a repeat changes nothing."
    )
    status: Literal["COMPLETE", "CLOSED", "VIOLATED"] = Field(
        description="The buyer kept to it, it was called off, or it was broken."
    )
    biz_type: str = Field(
        "CREDIT_AUTH", max_length=64, description="CREDIT_AUTH, CREDIT_DEDUCT, ..."
    )
    orig_request_no: Number | None = None


class OrderinfoOut(BaseModel):
    """What Alipay has taken note of."""

    object: str = "orderinfo"
    out_trade_no: str
    trade_no: str
    out_request_no: str
    status: str


@router.post(
    "/{out_trade_no}/orderinfo", response_model=OrderinfoOut, summary="Tell what became of an order"
)
def post_orderinfo(
    request: Request, caller: Writer, out_trade_no: str, wanted: OrderinfoIn
) -> OrderinfoOut:
    """Tells Alipay what became of a paid order (`alipay.trade.orderinfo.sync`). It moves no money."""
    with context_of(request).database.read() as tx:
        order = read_order(tx, caller.merchant_id, out_trade_no)
    if order.trade_no is None:
        raise OrderinfoRefused(
            order,
            "Alipay has no trade for it yet: nobody has paid.",
            "尚未付款，支付宝没有对应交易。",
        )
    operation = TradeOrderinfoSync(
        trade_no=order.trade_no,
        out_request_no=wanted.out_request_no,
        biz_type=wanted.biz_type,
        orig_request_no=wanted.orig_request_no,
        order_biz_info=json.dumps({"status": wanted.status}, separators=(",", ":")),
    )
    try:
        clients_of(request).client_for(order.merchant_id).call(operation)
    except Rejected as no:
        code = no.sub_code or no.code
        raise OrderinfoRefused(
            order,
            f"Alipay says {code} {no.message}.",
            f"支付宝返回 {code} {no.message}。",
            alipay_code=code,
            alipay_message=no.message,
        ) from no
    except OutcomeUnknown as unknown:
        raise OrderinfoUnknown(order, unknown.reason) from unknown
    return OrderinfoOut(
        out_trade_no=order.out_trade_no,
        trade_no=order.trade_no,
        out_request_no=wanted.out_request_no,
        status=wanted.status,
    )
