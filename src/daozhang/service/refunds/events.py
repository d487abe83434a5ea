"""What this domain announces: the bodies of `refund.*` events, typed and versioned."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from daozhang.service.orders.events import AmountText
from daozhang.service.refunds.messages import sentences_for
from daozhang.service.refunds.model import Destination, Refund, RefundOrigin, RefundStatus

REFUND_BOUNCED: Final = "refund.bounced"

REFUND_EVENTS: Final = {
    "refund.succeeded": "Money has gone back. Announced once for each refund, whoever started it.",
    "refund.failed": "It has not gone back and will not: Alipay refused it definitely.",
    REFUND_BOUNCED: "A bank sent it back: it lies in the buyer's Alipay balance. Nothing is sent again.",
}
"""Every type of event of this domain, with what it says."""


class RefundSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The refund as it stood when the event was written."""

    out_request_no: Annotated[
        str | None, msgspec.Meta(description="Its number; null while nobody has named it.")
    ]
    origin: RefundOrigin
    status: RefundStatus
    amount: AmountText
    currency: str
    reason: str | None
    last_code: Annotated[str | None, msgspec.Meta(description="What Alipay last said of it.")]
    last_message: str | None
    message: Annotated[str | None, msgspec.Meta(description="What that means and what to do.")]
    message_zh: Annotated[str | None, msgspec.Meta(description="The same in Chinese.")]
    destination: Annotated[
        Destination | None,
        msgspec.Meta(description="Where money for a bank card is; null for any other refund."),
    ]


def refund_snapshot(refund: Refund) -> dict[str, Any]:
    """``refund`` as the body of an event carries it."""
    said = sentences_for(refund.last_code, refund.last_message)
    snapshot = RefundSnapshot(
        out_request_no=refund.out_request_no,
        origin=refund.origin,
        status=refund.status,
        amount=str(refund.amount),
        currency=refund.amount.currency,
        reason=refund.reason,
        last_code=refund.last_code,
        last_message=refund.last_message,
        message=None if said is None else said[0],
        message_zh=None if said is None else said[1],
        destination=refund.destination,
    )
    return msgspec.structs.asdict(snapshot)
