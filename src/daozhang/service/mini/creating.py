"""Making the trade that a mini program pays. It charges nobody, and can be repeated."""

from __future__ import annotations

from typing import Any

from daozhang.alipay.buyers import BuyerRef
from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.operations.create import TradeCreate
from daozhang.service.merchants.clients import Clients
from daozhang.service.mini.refusals import TradeNotMade, TradeRefused
from daozhang.service.orders.actions import lock_order
from daozhang.service.orders.handing import notify_address, terms_of
from daozhang.service.orders.model import FactKind, Order, Source, TradeFact
from daozhang.service.refunds.settling import settle_fact
from daozhang.service.web.context import Context

JSAPI = "JSAPI_PAY"
FACE_TO_FACE = "FACE_TO_FACE_PAYMENT"
"""Which product is charged: the one for mini programs where theirs is named (apis.md §9, unverified)."""


def make_trade(
    context: Context, clients: Clients, order: Order, buyer: BuyerRef, op_app_id: str | None
) -> str:
    """The number of the trade that waits for ``buyer`` at Alipay. The caller has noted that something
    payable is handed out. Raises `TradeRefused`, or `TradeNotMade` if nobody knows.
    """
    merchant = clients.merchant(order.merchant_id)
    terms: dict[str, Any] = {**terms_of(order), **buyer.fields()}
    operation = TradeCreate(
        **terms,
        op_app_id=op_app_id,
        product_code=JSAPI if op_app_id else FACE_TO_FACE,
        operator_id=order.operator_id,
        terminal_id=order.terminal_id,
    )
    try:
        made = clients.client_for(order.merchant_id).call(
            operation, notify_url=notify_address(context, merchant)
        )
    except Rejected as no:
        raise TradeRefused(order, no) from no
    except OutcomeUnknown as unknown:
        raise TradeNotMade(order, unknown.reason) from unknown
    if not made.trade_no:
        raise TradeNotMade(order, "Alipay's answer holds no trade_no")
    fact = TradeFact(
        kind=FactKind.WAITING,
        out_trade_no=order.out_trade_no,
        source=Source.CREATE,
        source_ref=made.trace_id or "",
        learned_at=context.clock.now(),
        trade_no=made.trade_no,
    )
    with context.database.begin() as tx:
        settle_fact(tx, context, lock_order(tx, order.id), fact)
    return made.trade_no
