"""Handing a buyer over to Alipay: what is signed for an order, by the way in which it is paid.

A signed address or order string stays payable until the order's time runs out, whatever becomes of the
order here. So one is made only when a buyer is really there, and never for an order given up.
"""

from __future__ import annotations

from typing import Any

from daozhang.alipay.operations.trade import TradeAppPay, TradePagePay, TradeWapPay
from daozhang.service.db import Tx
from daozhang.service.merchants.clients import Clients
from daozhang.service.merchants.model import Merchant
from daozhang.service.orders.actions import mark_signed
from daozhang.service.orders.model import Order, OrderStatus, Way
from daozhang.service.web.context import Context


def unpayable(order: Order, context: Context) -> str | None:
    """Why a buyer cannot be handed over for ``order`` any more: ``already_paid``, ``closed`` or
    ``expired``; ``None`` if one can."""
    if order.status in (OrderStatus.PAID, OrderStatus.FINISHED, OrderStatus.REFUNDED):
        return "already_paid"
    if order.status in (OrderStatus.CLOSING, OrderStatus.CLOSED):
        return "closed"
    return "expired" if context.clock.now() >= order.expires_at else None


def sign_for(tx: Tx, order: Order, context: Context) -> None:
    """Notes that something payable is about to be handed out, so that Alipay is asked soon.

    Whoever asks is not woken: the first question is seconds away, and it looks more often.
    """
    mark_signed(tx, order, context.clock.now())


def cashier_address(context: Context, clients: Clients, order: Order) -> str:
    """Alipay's cashier for ``order``, signed now; payable until the order's own expiry."""
    merchant = clients.merchant(order.merchant_id)
    kind = TradeWapPay if order.way is Way.WAP else TradePagePay
    terms = terms_of(order)
    # What Alipay's documents allow and its field list does not name (apis.md §14.2, for wap).
    unnamed = {name: terms.pop(name) for name in set(terms) - set(kind.__struct_fields__)}
    return clients.client_for(order.merchant_id).page_url(
        kind(**terms, more=unnamed),
        notify_url=notify_address(context, merchant),
        return_url=f"{context.settings.public_url}/alipay/return/{merchant.slug}",
    )


def order_string(context: Context, clients: Clients, order: Order) -> str:
    """What the merchant's app hands to Alipay's SDK for ``order``, signed now."""
    merchant = clients.merchant(order.merchant_id)
    return clients.client_for(order.merchant_id).order_string(
        TradeAppPay(**terms_of(order)), notify_url=notify_address(context, merchant)
    )


def notify_address(context: Context, merchant: Merchant) -> str:
    """Where Alipay sends this merchant's notifications."""
    return f"{context.settings.public_url}/alipay/notify/{merchant.slug}"


def terms_of(order: Order) -> dict[str, Any]:
    """What every way to pay tells Alipay of ``order``: the same each time it is signed."""
    chosen = {} if order.pay_options is None else order.pay_options.fields()
    return {
        "out_trade_no": order.out_trade_no,
        "total_amount": order.amount,
        "subject": order.subject,
        "body": order.body,
        "time_expire": order.expires_at,
        "passback_params": order.passback,
        "store_id": order.store_id,
        **chosen,
    }
