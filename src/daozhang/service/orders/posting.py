"""What the ledger is told of an order: its payment, once it is received, and what was learned of it later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daozhang.service.ledger.model import Taking
from daozhang.service.orders.model import Order, OrderStatus

RECEIVED: Final = (OrderStatus.PAID, OrderStatus.FINISHED, OrderStatus.REFUNDED)
"""Where the money has been with the merchant, whatever has become of it since."""


def is_received(order: Order) -> bool:
    """Whether the order's payment belongs into the books."""
    return order.status in RECEIVED


def taking_of(order: Order) -> Taking:
    """The payment of a received order. Its moment is Alipay's, or if that is not known, when we learned of it."""
    payment = order.payment
    paid_at = None if payment is None else payment.paid_at
    return Taking(
        environment=order.environment,
        seller_id=order.seller_id,
        order_id=order.id,
        merchant_id=order.merchant_id,
        total=order.amount,
        receipt=None if payment is None else payment.receipt,
        frozen=_is_frozen(order),
        at=paid_at or order.updated_at,
    )


def _is_frozen(order: Order) -> bool:
    """Whether Alipay was asked to hold the money until it has been shared."""
    if order.pay_options is None:
        return False
    extended: Mapping[str, str] = order.pay_options.fields().get("extend_params") or {}
    return extended.get("royalty_freeze") == "true"


def learns_more(before: Order, after: Order) -> bool:
    """Whether a payment that is in the books turns out to be of another amount."""
    if not is_received(before):
        return False
    return taking_of(before).received != taking_of(after).received
