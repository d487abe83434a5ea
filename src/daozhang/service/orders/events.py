"""What this domain announces: the bodies of `order.*` events, typed and versioned."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from daozhang.service.orders.model import Order, OrderStatus

ORDER_EVENTS: Final = {
    "order.paid": "Alipay says, signed, that the order is paid. Announced once.",
    "order.paid_late": "Paid after it had been given up here; the late policy decides what follows.",
    "order.closed": "Closed unpaid: Alipay said so, or twice that there is no such trade.",
    "order.finished": "Paid, and Alipay refunds it no more.",
    "order.refunded": "All of the order's money has gone back.",
    "order.duplicate_payment": "Another order of the same cart_ref is paid already.",
    "order.surprise": "A fact did not fit; a person has to look.",
    "order.surprise_resolved": "Somebody has dealt with a surprise; it says how.",
}
"""Every type of event of this domain, with what it says."""


AmountText = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]+)?$", description="In the major unit, as text.")
]
TimeText = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]


class OrderSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The order as it stood when the event was written."""

    out_trade_no: Annotated[str, msgspec.Meta(description="Your number for the order.")]
    trade_no: Annotated[str | None, msgspec.Meta(description="Alipay's number, once it has one.")]
    status: OrderStatus
    amount: AmountText
    currency: Annotated[str, msgspec.Meta(description="ISO 4217.")]
    refunded_amount: AmountText
    cart_ref: str | None
    late: Annotated[bool, msgspec.Meta(description="Paid after it had been given up.")]
    attention: Annotated[bool, msgspec.Meta(description="A person has to look at it.")]
    paid_at: TimeText | None
    closed_reason: str | None
    metadata: Annotated[dict[str, str], msgspec.Meta(description="What you wrote into it.")]


def snapshot_of(order: Order) -> dict[str, Any]:
    """``order`` as the body of an event carries it."""
    paid_at = order.payment.paid_at if order.payment is not None else None
    snapshot = OrderSnapshot(
        out_trade_no=order.out_trade_no,
        trade_no=order.trade_no,
        status=order.status,
        amount=str(order.amount),
        currency=order.amount.currency,
        refunded_amount=str(order.refunded),
        cart_ref=order.cart_ref,
        late=order.late,
        attention=order.attention,
        paid_at=None if paid_at is None else paid_at.isoformat(),
        closed_reason=order.closed_reason,
        metadata=dict(order.metadata),
    )
    return msgspec.structs.asdict(snapshot)
