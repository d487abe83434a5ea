"""What the merchant's app got back from Alipay's SDK: whether it is Alipay's, and what to show.

The words of the phone decide nothing about money. They decide only how to say that it is not known yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog

from daozhang.alipay.app_results import AppStatus, verify_app_result
from daozhang.alipay.errors import Untrusted
from daozhang.service.merchants.clients import Clients
from daozhang.service.orders.model import Order, OrderStatus

SHOWN: Final[Mapping[str, tuple[str, str]]] = {
    "paid": ("Paid. Alipay has confirmed it.", "支付成功, 支付宝已确认."),
    "confirming": (
        "Alipay has not confirmed it yet. Show 'confirming', do not charge again; the event "
        "order.paid or order.closed will tell.",
        "支付宝尚未确认. 请显示 '确认中', 切勿重复收款; 结果将由 order.paid 或 order.closed 事件告知.",
    ),
    "cancelled": (
        "The buyer left without paying. The same order can be paid until it expires.",
        "买家已取消. 该订单在过期前仍可支付.",
    ),
    "not_paid": (
        "Not paid. The same order can be tried again until it expires or is closed.",
        "未支付. 该订单在过期或关闭前可以重试.",
    ),
    "closed": (
        "Closed unpaid. Create another order under a new number.",
        "订单已关闭, 未支付. 请用新的订单号另建订单.",
    ),
    "refunded": ("The money has gone back to the buyer.", "款项已退回买家."),
}
"""What an app shows, with the sentence for whoever builds it."""

_BY_STATUS: Final[Mapping[str, str]] = {
    AppStatus.CANCELLED: "cancelled",
    AppStatus.FAILED: "not_paid",
    "4": "not_paid",  # a mini program that may not pay (apis.md §9)
    "99": "cancelled",  # the buyer left by "forgot password"
}
"""All others leave it open, 9000 included, until Alipay itself has said that it was paid."""

log = structlog.get_logger(__name__)


def is_signed_for(order: Order, result: str, clients: Clients) -> bool:
    """Whether ``result`` is Alipay's, unchanged, and about this very order and amount."""
    if not result:
        return False
    merchant = clients.merchant(order.merchant_id)
    try:
        said = verify_app_result(result, clients.verifying_keys_for(merchant))
    except Untrusted as refused:
        log.warning(
            "app_result_not_believed",
            out_trade_no=order.out_trade_no,
            reason=refused.reason.value,
        )
        return False
    return (
        said.out_trade_no == order.out_trade_no
        and said.total_amount == order.amount
        and said.seller_id in (None, order.seller_id)
    )


def what_to_show(order: Order, result_status: str) -> str:
    """A key of `SHOWN`: what Alipay has told of the order, and where it is silent, what the phone
    says."""
    if order.status in (OrderStatus.PAID, OrderStatus.FINISHED):
        return "paid"
    if order.status in (OrderStatus.CLOSED, OrderStatus.REFUNDED):
        return order.status.value
    return _BY_STATUS.get(result_status, "confirming")
