"""What this domain announces: the bodies of `hold.*` events, typed and versioned."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from daozhang.service.holds.messages import sentences_for
from daozhang.service.holds.model import Balance, Hold, HoldStatus, Release, ReleaseOrigin
from daozhang.service.orders.events import AmountText, TimeText

AUTHORIZED: Final = "hold.authorized"
AUTHORIZED_LATE: Final = "hold.authorized_late"
FINISHED: Final = "hold.finished"
CLOSED: Final = "hold.closed"
RELEASED: Final = "hold.released"
RELEASE_FAILED: Final = "hold.release_failed"

HOLD_EVENTS: Final = {
    AUTHORIZED: "Alipay says, signed, that the buyer's money is frozen. Announced once.",
    AUTHORIZED_LATE: "Money was frozen for a hold that had been given up here; a person has to look.",
    RELEASED: "Money of a hold was let go, by you or by Alipay. Announced once for each release.",
    RELEASE_FAILED: "It was not let go and will not be: Alipay refused the release definitely.",
    FINISHED: "Nothing of the hold is frozen any more.",
    CLOSED: "Nothing is or will be frozen: the buyer did not confirm, or it was cancelled.",
}
"""Every type of event of this domain, with what it says."""


def subject_of(hold: Hold) -> str:
    """The name under which the outbox knows what an event is about."""
    return f"hold:{hold.out_order_no}"


class HoldSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hold as it stood when the event was written."""

    out_order_no: Annotated[str, msgspec.Meta(description="Your number for the hold.")]
    auth_no: Annotated[str | None, msgspec.Meta(description="Alipay's, once it has one.")]
    status: HoldStatus
    amount: AmountText
    currency: str
    captured_amount: Annotated[str, msgspec.Meta(description="Taken by payments so far.")]
    released_amount: Annotated[str, msgspec.Meta(description="Let go so far.")]
    remaining_amount: Annotated[str, msgspec.Meta(description="Frozen, and promised to nobody.")]
    late: bool
    attention: bool
    authorized_at: TimeText | None
    closed_reason: str | None
    metadata: dict[str, str]


class ReleaseSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A release as it stood when the event was written."""

    out_request_no: Annotated[
        str | None, msgspec.Meta(description="Its number; null if it was not started here.")
    ]
    origin: ReleaseOrigin
    amount: AmountText
    last_code: str | None
    last_message: str | None
    message: Annotated[str | None, msgspec.Meta(description="What that means and what to do.")]
    message_zh: Annotated[str | None, msgspec.Meta(description="The same in Chinese.")]


def hold_snapshot(hold: Hold, balance: Balance) -> dict[str, Any]:
    """``hold`` as the body of an event carries it."""
    snapshot = HoldSnapshot(
        out_order_no=hold.out_order_no,
        auth_no=hold.auth_no,
        status=hold.status,
        amount=str(hold.amount),
        currency=hold.amount.currency,
        captured_amount=str(balance.captured),
        released_amount=str(balance.released),
        remaining_amount=str(balance.remaining),
        late=hold.late,
        attention=hold.attention,
        authorized_at=None if hold.authorized_at is None else hold.authorized_at.isoformat(),
        closed_reason=hold.closed_reason,
        metadata=dict(hold.metadata),
    )
    return msgspec.structs.asdict(snapshot)


def release_snapshot(release: Release) -> dict[str, Any]:
    """``release`` as the body of an event carries it."""
    said = sentences_for(release.last_code, release.last_message)
    snapshot = ReleaseSnapshot(
        out_request_no=release.out_request_no,
        origin=release.origin,
        amount=str(release.amount),
        last_code=release.last_code,
        last_message=release.last_message,
        message=None if said is None else said[0],
        message_zh=None if said is None else said[1],
    )
    return msgspec.structs.asdict(snapshot)
