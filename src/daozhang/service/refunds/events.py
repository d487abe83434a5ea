"""What this domain announces: the bodies of `refund.*` events, typed and versioned."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

from daozhang.service.refunds.model import Refund

REFUND_EVENTS: Final = {
    "refund.succeeded": "Money has gone back. Announced once for each refund, whoever started it.",
    "refund.failed": "It has not gone back and will not: Alipay refused it definitely.",
}
"""Every type of event of this domain, with what it says."""


class RefundSnapshot(BaseModel):
    """The refund as it stood when the event was written."""

    model_config = ConfigDict(frozen=True)

    out_request_no: str | None
    origin: str
    status: str
    amount: str
    currency: str
    reason: str | None
    last_code: str | None
    last_message: str | None


def refund_snapshot(refund: Refund) -> dict[str, object]:
    """``refund`` as the body of an event carries it."""
    return RefundSnapshot(
        out_request_no=refund.out_request_no,
        origin=refund.origin.value,
        status=refund.status.value,
        amount=str(refund.amount),
        currency=refund.amount.currency,
        reason=refund.reason,
        last_code=refund.last_code,
        last_message=refund.last_message,
    ).model_dump()
