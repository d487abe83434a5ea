"""What this domain announces: the bodies of `order.*` events, typed and versioned."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

from daozhang.service.orders.model import Order

ORDER_EVENTS: Final = {
    "order.paid": "Alipay says, signed, that the order is paid. Announced once.",
    "order.paid_late": "Paid after it had been given up here; the late policy decides what follows.",
    "order.closed": "Closed unpaid: Alipay said so, or twice that there is no such trade.",
    "order.finished": "Paid, and Alipay refunds it no more.",
    "order.refunded": "All of the order's money has gone back.",
    "order.duplicate_payment": "Another order of the same cart_ref is paid already.",
    "order.surprise": "A fact did not fit; a person has to look.",
}
"""Every type of event of this domain, with what it says."""


class OrderSnapshot(BaseModel):
    """The order as it stood when the event was written. Amounts are text, times RFC 3339."""

    model_config = ConfigDict(frozen=True)

    out_trade_no: str
    trade_no: str | None
    status: str
    amount: str
    currency: str
    refunded_amount: str
    cart_ref: str | None
    late: bool
    attention: bool
    paid_at: str | None
    closed_reason: str | None
    metadata: dict[str, str]


def snapshot_of(order: Order) -> dict[str, object]:
    """``order`` as the body of an event carries it."""
    paid_at = order.payment.paid_at if order.payment is not None else None
    return OrderSnapshot(
        out_trade_no=order.out_trade_no,
        trade_no=order.trade_no,
        status=order.status.value,
        amount=str(order.amount),
        currency=order.amount.currency,
        refunded_amount=str(order.refunded),
        cart_ref=order.cart_ref,
        late=order.late,
        attention=order.attention,
        paid_at=None if paid_at is None else paid_at.isoformat(),
        closed_reason=order.closed_reason,
        metadata=dict(order.metadata),
    ).model_dump()
