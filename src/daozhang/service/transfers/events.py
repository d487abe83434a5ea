"""What this domain announces: the bodies of `transfer.*` events, typed and versioned. Payees are masked."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from daozhang.service.orders.events import AmountText, TimeText
from daozhang.service.transfers.messages import sentences_for
from daozhang.service.transfers.model import PayeeKind, Transfer, TransferStatus

SUCCEEDED: Final = "transfer.succeeded"
FAILED: Final = "transfer.failed"
RETURNED: Final = "transfer.returned"

TRANSFER_EVENTS: Final = {
    SUCCEEDED: "Alipay says, signed, that the money has gone. To a bank card it may still come back.",
    FAILED: "It has not gone and will not by this number: refused definitely, or nobody approved it.",
    RETURNED: "A bank sent it back, also after it had succeeded. It is not sent again by itself.",
}
"""Every type of event of this domain, with what it says."""


def subject_of(transfer: Transfer) -> str:
    """The name under which the outbox knows what an event is about."""
    return f"transfer:{transfer.out_biz_no}"


class TransferSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The transfer as it stood when the event was written."""

    out_biz_no: Annotated[str, msgspec.Meta(description="Your number for it.")]
    order_id: Annotated[str | None, msgspec.Meta(description="Alipay's, once it has one.")]
    status: TransferStatus
    amount: AmountText
    currency: str
    payee_kind: PayeeKind
    payee: Annotated[str, msgspec.Meta(description="Who gets it, masked.")]
    title: str
    batch_row: int | None
    last_code: Annotated[str | None, msgspec.Meta(description="What Alipay last said of it.")]
    last_message: str | None
    message: Annotated[str | None, msgspec.Meta(description="What that means and what to do.")]
    message_zh: Annotated[str | None, msgspec.Meta(description="The same in Chinese.")]
    paid_at: TimeText | None
    returned_at: TimeText | None


def transfer_snapshot(transfer: Transfer) -> dict[str, Any]:
    """``transfer`` as the body of an event carries it."""
    said = sentences_for(transfer.last_code, transfer.last_message)
    snapshot = TransferSnapshot(
        out_biz_no=transfer.out_biz_no,
        order_id=transfer.order_id,
        status=transfer.status,
        amount=str(transfer.amount),
        currency=transfer.amount.currency,
        payee_kind=transfer.payee_kind,
        payee=transfer.payee_shown,
        title=transfer.title,
        batch_row=transfer.batch_row,
        last_code=transfer.last_code,
        last_message=transfer.last_message,
        message=None if said is None else said[0],
        message_zh=None if said is None else said[1],
        paid_at=None if transfer.paid_at is None else transfer.paid_at.isoformat(),
        returned_at=None if transfer.returned_at is None else transfer.returned_at.isoformat(),
    )
    return msgspec.structs.asdict(snapshot)
