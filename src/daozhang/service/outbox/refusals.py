"""What a stream refuses."""

from __future__ import annotations

from typing import ClassVar

from daozhang.service.refusals import Refusal


class EventUnknown(Refusal):
    """The event to go on from is none of the merchant's."""

    code: ClassVar[str] = "event_unknown"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "No such event"

    def __init__(self, event_id: str) -> None:
        super().__init__(
            f"There is no event {event_id!r} to go on from. Send the id of the last event you "
            'handled, "start" for all events there are, or nothing for those from now on.',
            f"没有事件 {event_id!r}. 请传最后处理的事件 id, 或 start (从头开始), 或不传 (从现在开始).",
            last_event_id=event_id,
        )
