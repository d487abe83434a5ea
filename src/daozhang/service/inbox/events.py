"""What the inbox announces: messages that are about no order."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from daozhang.service.orders.events import TimeText

MESSAGE_RECEIVED: Final = "message.received"

MESSAGE_EVENTS: Final = {
    MESSAGE_RECEIVED: "A message of Alipay's application gateway, of any kind, was recorded.",
}
"""Every type of event of this domain, with what it says."""


class MessageSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which message it was. What it says is read from the API: it may hold what is personal."""

    id: Annotated[int, msgspec.Meta(description="For GET /v1/messages/{id}.")]
    kind: Annotated[str, msgspec.Meta(description="Alipay's name for it: its msg_method.")]
    notify_id: str
    received_at: TimeText
    outcome: Annotated[str, msgspec.Meta(description="What became of it here, in words.")]

    def as_data(self) -> dict[str, Any]:
        """As the body of an event carries it."""
        return msgspec.structs.asdict(self)
