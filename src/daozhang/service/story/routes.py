"""The story of an order over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.db import Tx
from daozhang.service.inbox.model import SETTLED_STATUSES, RecordedNotification
from daozhang.service.inbox.store import list_notifications
from daozhang.service.orders.actions import read_order
from daozhang.service.orders.model import Order, Way
from daozhang.service.orders.routes import render
from daozhang.service.orders.store import list_steps, list_surprises
from daozhang.service.orders.views import OrderOut, StepOut, SurpriseOut
from daozhang.service.retention.rules import forgotten_at
from daozhang.service.till.store import list_payments
from daozhang.service.till.telling import tell
from daozhang.service.web.context import context_of

router = APIRouter(prefix="/v1/orders", tags=["orders"])


class StoryOut(BaseModel):
    """An order with everything that happened to it, oldest first."""

    object: str = "story"
    environment: str
    order: OrderOut
    next_question_at: datetime | None = Field(description="When Alipay is asked about it next.")
    entries: list[dict[str, Any]]


@router.get("/{out_trade_no}/story", response_model=StoryOut, summary="The story of an order")
def get_story(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("orders:read"))],
    out_trade_no: str,
) -> StoryOut:
    """Steps with their facts, notifications, surprises, and what happened at the till in sentences;
    in time order."""
    context = context_of(request)
    with context.database.read() as tx:
        order = read_order(tx, caller.merchant_id, out_trade_no)
        entries = _entries(tx, order, context.settings.retention_notifications_days)
    return StoryOut(
        environment=order.environment,
        order=render(context, order, caller.merchant_slug),
        next_question_at=order.next_query_at,
        entries=entries,
    )


def _entries(tx: Tx, order: Order, keep_days: int) -> list[dict[str, Any]]:
    steps = [StepOut.of(step).model_dump(mode="json") for step in list_steps(tx, order.id)]
    told = list_notifications(tx, order.merchant_id, order.out_trade_no)
    notifications = [_notification(row, keep_days) for row in told]
    surprised = list_surprises(tx, order.merchant_id, order.id)
    surprises = [SurpriseOut.of(surprise).model_dump(mode="json") for surprise in surprised]
    at_till = tell(list_payments(tx, order.id)) if order.way is Way.BARCODE else []
    created = {"kind": "created", "at": order.created_at.isoformat()}
    return sorted(
        [created, *notifications, *at_till, *steps, *surprises],
        key=lambda entry: datetime.fromisoformat(entry["at"]),
    )


def _notification(row: RecordedNotification, keep_days: int) -> dict[str, Any]:
    return {
        "kind": "notification",
        "at": row.received_at.isoformat(),
        "notify_id": row.notify_id,
        "says": row.kind,
        "status": row.status.value,
        "copies": row.copies,
        "applied_at": None if row.applied_at is None else row.applied_at.isoformat(),
        "outcome": row.outcome,
        # What is not settled stays whole: somebody may have to look at it.
        "raw_kept_until": forgotten_at(row.received_at, keep_days).isoformat()
        if row.has_body and row.status in SETTLED_STATUSES
        else None,
        "raw_deleted": not row.has_body,
    }
