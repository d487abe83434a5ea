"""Messages of Alipay's application gateway, over HTTP: list them, read one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Self, cast

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from daozhang.alipay.errors import Untrusted
from daozhang.alipay.messages import content_of
from daozhang.alipay.notifications import Message, Notification
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.inbox import store
from daozhang.service.inbox.messages import Messages
from daozhang.service.inbox.model import RecordedNotification
from daozhang.service.inbox.rules import MESSAGE
from daozhang.service.refusals import Refusal
from daozhang.service.web.context import context_of
from daozhang.service.web.pagination import RowNumber, read_cursor, write_cursor

router = APIRouter(prefix="/v1/messages", tags=["messages"])

Reader = Annotated[Caller, Depends(caller_with("events:read"))]

NOT_SHOWN = frozenset({"sign", "sign_type", "biz_content", "charset"})
"""Fields that say nothing beside the content."""


class MessageNotFound(Refusal):
    """The merchant has no message of that number."""

    code: ClassVar[str] = "message_not_found"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "No such message"

    def __init__(self, message_id: int) -> None:
        super().__init__(
            f"This merchant has no message {message_id}: GET /v1/messages lists them.",
            f"该商户没有消息 {message_id}，可用 GET /v1/messages 查看。",
        )


class MessageOut(BaseModel):
    """A message, without what it says."""

    object: str = "message"
    id: int
    kind: str = Field(
        description="Alipay's name for it: its `msg_method`, `service` or notify type."
    )
    notify_id: str
    received_at: datetime
    applied_at: datetime | None
    copies: int = Field(description="How often Alipay has sent it.")
    outcome: str | None = Field(description="What became of it here, in words.")

    @classmethod
    def of(cls, row: RecordedNotification) -> Self:
        """``row``, rendered."""
        return cls(
            id=row.id,
            kind=row.kind.removeprefix(MESSAGE),
            notify_id=row.notify_id,
            received_at=row.received_at,
            applied_at=row.applied_at,
            copies=row.copies,
            outcome=row.outcome,
        )


class WholeMessageOut(MessageOut):
    """A message with what it says. ``readable`` is false once it was forgotten, or cannot be read."""

    readable: bool = False
    fields: dict[str, str] = Field(default_factory=dict[str, str])
    content: dict[str, Any] = Field(default_factory=dict[str, Any])
    content_text: str | None = Field(None, description="Where the content is no JSON object.")


class MessagePage(BaseModel):
    """A page of messages, newest first. ``next_cursor`` asks for the next one; null at the end."""

    object: str = "list"
    environment: str
    data: list[MessageOut]
    next_cursor: str | None


@router.get("", response_model=MessagePage, summary="List messages")
def get_messages(
    request: Request,
    caller: Reader,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> MessagePage:
    """What Alipay's application gateway has said to the merchant's app, newest first."""
    before_id = None if cursor is None else read_cursor(cursor)
    with context_of(request).database.read() as tx:
        rows = store.list_messages(
            tx,
            caller.merchant_id,
            before_id=before_id,
            rows_max=limit + 1,
            kind=None if kind is None else f"{MESSAGE}{kind}"[:64],
        )
    page = rows[:limit]
    return MessagePage(
        environment=caller.environment,
        data=[MessageOut.of(row) for row in page],
        next_cursor=write_cursor(page[-1].id) if len(rows) > limit else None,
    )


@router.get("/{message_id}", response_model=WholeMessageOut, summary="Read a message")
def get_message(request: Request, caller: Reader, message_id: RowNumber) -> WholeMessageOut:
    """One message with all that it says, decrypted if it came encrypted and the key is known."""
    messages = cast("Messages", request.app.state.messages)
    with context_of(request).database.read() as tx:
        found = store.find_message(tx, caller.merchant_id, message_id)
        if found is None:
            raise MessageNotFound(message_id)
        row = found[0]
        shown = WholeMessageOut.of(row)
        if not row.has_body:
            return shown
        try:
            notification = messages.read(tx, row)
        except Untrusted:
            return shown
    return _with_content(shown, notification)


def _with_content(shown: WholeMessageOut, notification: Notification) -> WholeMessageOut:
    fields = {k: v for k, v in notification.fields.items() if k not in NOT_SHOWN}
    content, text = {}, None
    if isinstance(notification, Message):
        content = dict(content_of(notification))
        text = None if content else notification.content
    return shown.model_copy(
        update={"readable": True, "fields": fields, "content": content, "content_text": text}
    )
