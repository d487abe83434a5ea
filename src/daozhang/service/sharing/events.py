"""What this domain announces: the bodies of `share.*` events, typed and versioned."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from daozhang.service.orders.events import AmountText
from daozhang.service.sharing.messages import sentences_for
from daozhang.service.sharing.model import Round, Share, ShareStatus

SUCCEEDED: Final = "share.succeeded"
FAILED: Final = "share.failed"
RETURNED: Final = "share.returned"

SHARE_EVENTS: Final = {
    SUCCEEDED: "A receiver has its part of an order's money. Announced once for each share.",
    FAILED: "A receiver has not got it, and will not by this request: Alipay refused it definitely.",
    RETURNED: "A receiver gave some of it back with a refund. Announced for each refund.",
}
"""Every type of event of this domain, with what it says."""


class ShareSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share as it stood when the event was written."""

    out_request_no: Annotated[str, msgspec.Meta(description="Your number for the round.")]
    settle_no: Annotated[str | None, msgspec.Meta(description="Alipay's number for the round.")]
    account: Annotated[str, msgspec.Meta(description="The receiver's account.")]
    status: ShareStatus
    amount: AmountText
    returned_amount: AmountText
    currency: str
    plan: Annotated[str | None, msgspec.Meta(description="By which plan, if by one.")]
    refund_request_no: Annotated[
        str | None,
        msgspec.Meta(description="Of share.returned: the refund with which it came back."),
    ]
    last_code: Annotated[str | None, msgspec.Meta(description="What Alipay last said of it.")]
    last_message: str | None
    message: Annotated[str | None, msgspec.Meta(description="What that means and what to do.")]
    message_zh: Annotated[str | None, msgspec.Meta(description="The same in Chinese.")]


def share_snapshot(
    share: Share, round_: Round, refund_request_no: str | None = None
) -> dict[str, Any]:
    """``share`` as the body of an event carries it."""
    said = sentences_for(share.last_code, share.last_message)
    snapshot = ShareSnapshot(
        out_request_no=round_.out_request_no,
        settle_no=round_.settle_no,
        account=share.account,
        status=share.status,
        amount=str(share.amount),
        returned_amount=str(share.returned),
        currency=share.amount.currency,
        plan=round_.plan,
        refund_request_no=refund_request_no,
        last_code=share.last_code,
        last_message=share.last_message,
        message=None if said is None else said[0],
        message_zh=None if said is None else said[1],
    )
    return msgspec.structs.asdict(snapshot)
