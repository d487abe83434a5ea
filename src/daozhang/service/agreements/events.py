"""What this domain announces: the bodies of `agreement.*` events, typed and versioned."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from daozhang.service.agreements.model import Agreement, AgreementStatus
from daozhang.service.orders.events import TimeText

SIGNED: Final = "agreement.signed"
STOPPED: Final = "agreement.stopped"
RESUMED: Final = "agreement.resumed"
ENDED: Final = "agreement.ended"
DUE: Final = "agreement.due"
DEDUCTION_FAILED: Final = "agreement.deduction_failed"

AGREEMENT_EVENTS: Final = {
    SIGNED: "Alipay says, signed, that the buyer has agreed and that it is in effect.",
    STOPPED: "The buyer has paused it: nothing can be charged.",
    RESUMED: "It goes on after a pause.",
    ENDED: "It has ended, whoever ended it: nothing can be charged by it any more.",
    DUE: "The window to charge a period is open, and nothing is charged by itself.",
    DEDUCTION_FAILED: "A try to charge it has failed, proven; whether another follows is said with it.",
}
"""Every type of event of this domain, with what it says."""


def subject_of(agreement: Agreement) -> str:
    """The name under which the outbox knows what an event is about."""
    return f"agreement:{agreement.external_agreement_no}"


class AgreementSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The agreement as it stood when the event was written."""

    external_agreement_no: Annotated[str, msgspec.Meta(description="Your number for it.")]
    agreement_no: Annotated[str | None, msgspec.Meta(description="Alipay's, once signed.")]
    status: AgreementStatus
    next_deduct_on: Annotated[
        str | None, msgspec.Meta(description="The planned day of the next charge, Beijing's.")
    ]
    signed_at: TimeText | None
    invalid_at: TimeText | None
    attention: bool
    metadata: dict[str, str]


class DeductionSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A try to charge it."""

    out_trade_no: str
    planned_on: str | None
    code: Annotated[str | None, msgspec.Meta(description="What Alipay said.")]
    message: Annotated[str | None, msgspec.Meta(description="What that means and what to do.")]
    message_zh: Annotated[str | None, msgspec.Meta(description="The same in Chinese.")]
    next_try_at: Annotated[
        TimeText | None, msgspec.Meta(description="When it is tried again; null: not by itself.")
    ]


def agreement_snapshot(agreement: Agreement) -> dict[str, Any]:
    """``agreement`` as the body of an event carries it."""
    at, until = agreement.signed_at, agreement.invalid_at
    day = agreement.next_deduct_on
    snapshot = AgreementSnapshot(
        external_agreement_no=agreement.external_agreement_no,
        agreement_no=agreement.agreement_no,
        status=agreement.status,
        next_deduct_on=None if day is None else day.isoformat(),
        signed_at=None if at is None else at.isoformat(),
        invalid_at=None if until is None else until.isoformat(),
        attention=agreement.attention,
        metadata=dict(agreement.metadata),
    )
    return msgspec.structs.asdict(snapshot)
