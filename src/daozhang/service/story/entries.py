"""What every story tells alike: notifications, surprises, events, and their way to those who must know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from daozhang.service.db import Tx
from daozhang.service.inbox.model import SETTLED_STATUSES, InboxStatus, RecordedNotification
from daozhang.service.inbox.rules import MESSAGE
from daozhang.service.inbox.store import list_notifications
from daozhang.service.orders.model import FactKind, Surprise
from daozhang.service.orders.telling import ANSWERS, Sentence, entry
from daozhang.service.outbox.model import Event
from daozhang.service.retention.rules import forgotten_at
from daozhang.service.webhooks.model import Attempt, Delivery, DeliveryStatus
from daozhang.service.webhooks.store import list_attempts_of, list_deliveries_of

Entry = dict[str, Any]

_BECAME: dict[InboxStatus, Sentence] = {
    InboxStatus.RECEIVED: ("It is recorded, and not in the books yet.", "已记录，尚未入账。"),
    InboxStatus.CONFIRMING: (
        "Alipay is asked to confirm it before it is believed.",
        "须先向支付宝查询确认。",
    ),
    InboxStatus.WAITING: ("It names something that is not here yet.", "对应的记录尚不存在。"),
    InboxStatus.SURPRISED: ("It does not fit: a person was told.", "与记录不符：已通知人工处理。"),
}


def in_order(*parts: Sequence[Entry]) -> list[Entry]:
    """All entries in the order of time; those of one moment as they were given."""
    entries = [one for part in parts for one in part]
    return sorted(entries, key=lambda one: datetime.fromisoformat(one["at"]))


def tell_notifications(
    tx: Tx,
    merchant_id: int,
    number: str,
    keep_days: int,
    notices: Mapping[str, Sentence] = MappingProxyType({}),
) -> list[Entry]:
    """What Alipay told us of an order; with ``notices``, by notifications of those kinds, in their words."""
    found = list_notifications(tx, merchant_id, number, messages=notices)
    return [_notification(row, keep_days, notices) for row in found]


def _notification(
    row: RecordedNotification, keep_days: int, notices: Mapping[str, Sentence]
) -> Entry:
    return entry(
        "notification",
        row.received_at,
        _sentence_of(row, notices),
        names=(row.kind.removeprefix(MESSAGE),),
        id=row.id,
        notify_id=row.notify_id,
        says=row.kind,
        status=row.status.value,
        copies=row.copies,
        applied_at=None if row.applied_at is None else row.applied_at.isoformat(),
        outcome=row.outcome,
        # What is not settled stays whole: somebody may have to look at it.
        raw_kept_until=forgotten_at(row.received_at, keep_days).isoformat()
        if row.has_body and row.status in SETTLED_STATUSES
        else None,
        raw_deleted=not row.has_body,
    )


def _sentence_of(row: RecordedNotification, notices: Mapping[str, Sentence]) -> Sentence:
    name = row.kind.removeprefix(MESSAGE)
    kind = None if row.fact is None else FactKind(row.fact.kind).value
    says = ANSWERS[kind] if kind is not None else notices.get(name, (name, name))
    times = ("", "") if row.copies == 1 else (f" ({row.copies} times)", f"（共 {row.copies} 次）")
    became = _BECAME.get(row.status, ("", ""))
    return (
        f"Alipay told us{times[0]}: {says[0]}. {became[0]}".rstrip(),
        f"收到支付宝通知{times[1]}：{says[1]}。{became[1]}",
    )


def tell_surprises(surprises: Sequence[Surprise]) -> list[Entry]:
    """What did not fit, and what people have made of it. Of an order's, a step tells the end."""
    told = [_surprise(one) for one in surprises]
    ended = [one for one in surprises if one.resolved_at is not None and one.order_id is None]
    return [*told, *(_end_of(one) for one in ended)]


def _surprise(one: Surprise) -> Entry:
    return entry(
        "surprise",
        one.created_at,
        (
            f"Something does not fit ({one.reason}): a person has to look at it.",
            f"出现与记录不符的情况（{one.reason}）：需要人工处理。",
        ),
        names=(one.reason,),
        id=one.id,
        reason=one.reason,
        detail=one.detail,
        amount=str(one.amount),
        currency=one.amount.currency,
        owner=one.owner,
        resolution=None if one.resolution is None else one.resolution.value,
    )


def _end_of(one: Surprise) -> Entry:
    assert one.resolved_at is not None
    return entry(
        "surprise_ended",
        one.resolved_at,
        (
            f"Somebody looked at it ({one.reason}): {one.resolution_note or 'it is dealt with'}.",
            f"已人工处理（{one.reason}）：{one.resolution_note or '处理完毕'}。",
        ),
        names=(one.reason, one.resolution_note),
        id=one.id,
        reason=one.reason,
        resolution=None if one.resolution is None else one.resolution.value,
    )


def tell_events(tx: Tx, merchant_id: int, events: Sequence[Event]) -> list[Entry]:
    """What was announced, and where each announcement went."""
    told = [
        entry(
            "event",
            event.created_at,
            (
                f"{event.type} is announced to your systems.",
                f"向商户系统发出事件 {event.type}。",
            ),
            names=(event.type,),
            id=event.id,
            type=event.type,
            data=dict(event.data),
        )
        for event in events
    ]
    numbers = [event.number for event in events]
    sent = list_deliveries_of(tx, merchant_id, numbers) if numbers else []
    posts = list_attempts_of(tx, [one.id for one, _ in sent]) if sent else {}
    return [*told, *(_delivery(one, url, posts.get(one.id, [])) for one, url in sent)]


def _delivery(delivery: Delivery, url: str, posts: Sequence[Attempt]) -> Entry:
    host, what = urlsplit(url).hostname or "", delivery.event_type
    tries = delivery.attempt_count
    sentence = {
        DeliveryStatus.DELIVERED: (
            f"{host} has {what} (POSTs made: {tries}).",
            f"{host} 已收到 {what}（发送 {tries} 次）。",
        ),
        DeliveryStatus.PENDING: (
            f"{what} is on its way to {host} (POSTs made: {tries}).",
            f"{what} 正在发往 {host}（已发送 {tries} 次）。",
        ),
        DeliveryStatus.PARKED: (
            f"{what} did not reach {host} (POSTs made: {tries}): it waits for a person.",
            f"{what} 未能送达 {host}（已发送 {tries} 次）：等待人工处理。",
        ),
    }[delivery.status]
    return entry(
        "delivery",
        delivery.ended_at or delivery.created_at,
        sentence,
        names=(host, what, "POST"),
        id=delivery.public_id,
        url=url,
        event_id=delivery.event_id,
        type=what,
        status=delivery.status.value,
        attempts=tries,
        due_at=None if delivery.due_at is None else delivery.due_at.isoformat(),
        posts=[
            {
                "at": post.at.isoformat(),
                "status_code": post.status_code,
                "error": post.error,
                "response": post.response,
                "duration_ms": post.duration_ms,
            }
            for post in posts
        ],
    )
