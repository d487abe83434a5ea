"""What this domain announces: the bodies of `settlement.*` events, typed and versioned."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from daozhang.service.orders.events import AmountText
from daozhang.service.settlements.messages import sentences_for
from daozhang.service.settlements.model import Settlement, SettlementStatus

CONFIRMED: Final = "settlement.confirmed"
FAILED: Final = "settlement.failed"

SETTLEMENT_EVENTS: Final = {
    CONFIRMED: "The settlement of a direct-pay merchant's payment is confirmed: Alipay pays it out as agreed, and it "
    "can be shared.",
    FAILED: "It is not confirmed, and will not be by this request: Alipay refused it definitely.",
}
"""Every type of event of this domain, with what it says."""


class SettlementSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settlement as it stood when the event was written."""

    out_request_no: Annotated[str, msgspec.Meta(description="Your number for it.")]
    status: SettlementStatus
    amount: AmountText
    currency: str
    royalty_freeze: Annotated[
        bool, msgspec.Meta(description="Whether it stays frozen for its receivers.")
    ]
    last_code: Annotated[str | None, msgspec.Meta(description="What Alipay last said of it.")]
    last_message: str | None
    message: Annotated[str | None, msgspec.Meta(description="What that means and what to do.")]
    message_zh: Annotated[str | None, msgspec.Meta(description="The same in Chinese.")]


def settlement_snapshot(settlement: Settlement) -> dict[str, Any]:
    """``settlement`` as the body of an event carries it."""
    said = sentences_for(settlement.last_code, settlement.last_message)
    snapshot = SettlementSnapshot(
        out_request_no=settlement.out_request_no,
        status=settlement.status,
        amount=str(settlement.amount),
        currency=settlement.amount.currency,
        royalty_freeze=settlement.freezes,
        last_code=settlement.last_code,
        last_message=settlement.last_message,
        message=None if said is None else said[0],
        message_zh=None if said is None else said[1],
    )
    return msgspec.structs.asdict(snapshot)
