"""The stories of orders, holds, agreements and transfers over HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from daozhang.service.agreements.actions import read_agreement
from daozhang.service.agreements.routes import render as render_agreement
from daozhang.service.agreements.views import AgreementOut
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.holds.actions import read_hold
from daozhang.service.holds.routes import render as render_hold
from daozhang.service.holds.views import HoldOut
from daozhang.service.ledger.views import MoveOut
from daozhang.service.orders.actions import read_order
from daozhang.service.orders.routes import render
from daozhang.service.orders.views import OrderOut
from daozhang.service.story.actions import tell_agreement, tell_hold, tell_order, tell_transfer
from daozhang.service.story.entries import Entry
from daozhang.service.transfers.requesting import read_transfer
from daozhang.service.transfers.views import TransferOut
from daozhang.service.web.context import context_of

router = APIRouter()

Reader = Annotated[Caller, Depends(caller_with("orders:read"))]


class NextOut(BaseModel):
    """Something that happens by itself, in sentences."""

    at: datetime | None = Field(description="Null where a person decides when.")
    say: str
    say_zh: str

    @classmethod
    def all_of(cls, upcoming: Iterable[dict[str, Any]]) -> list[Self]:
        """What is to come, the next first; what waits for a person before all."""
        found = [cls(**one) for one in upcoming]
        return sorted(found, key=lambda one: (one.at is not None, one.at))


class StoryOut(BaseModel):
    """An order with everything that happened to it, oldest first."""

    object: str = "story"
    environment: str
    order: OrderOut
    next_question_at: datetime | None = Field(description="When Alipay is asked about it next.")
    next: list[NextOut] = Field(description="What happens by itself, and when.")
    entries: list[Entry] = Field(description="Each says what it is in `say` and `say_zh`.")
    ledger: list[MoveOut] = Field(description="What was posted to the books about it, in order.")


class HoldStoryOut(BaseModel):
    """A hold with everything that happened to it, oldest first."""

    object: str = "story"
    environment: str
    hold: HoldOut
    next: list[NextOut] = Field(description="What happens by itself, and when.")
    entries: list[Entry] = Field(description="Each says what it is in `say` and `say_zh`.")


class AgreementStoryOut(BaseModel):
    """An agreement with everything that happened to it, oldest first."""

    object: str = "story"
    environment: str
    agreement: AgreementOut
    next: list[NextOut] = Field(description="What happens by itself, and when.")
    entries: list[Entry] = Field(description="Each says what it is in `say` and `say_zh`.")


class TransferStoryOut(BaseModel):
    """A transfer with everything that happened to it, oldest first."""

    object: str = "story"
    environment: str
    transfer: TransferOut
    next: list[NextOut] = Field(description="What happens by itself, and when.")
    entries: list[Entry] = Field(description="Each says what it is in `say` and `say_zh`.")


@router.get(
    "/v1/orders/{out_trade_no}/story",
    response_model=StoryOut,
    summary="The story of an order",
    tags=["orders"],
)
def get_story(request: Request, caller: Reader, out_trade_no: str) -> StoryOut:
    """Steps with their facts, notifications, surprises, what happened at the till or to the charge, events
    and deliveries, in sentences and in time order; and what happens next."""
    context = context_of(request)
    with context.database.read() as tx:
        order = read_order(tx, caller.merchant_id, out_trade_no)
        story = tell_order(tx, order, context.settings.retention_notifications_days)
    return StoryOut(
        environment=order.environment,
        order=render(context, order, caller.merchant_slug),
        next_question_at=order.next_query_at,
        next=NextOut.all_of(story.upcoming),
        entries=list(story.entries),
        ledger=[MoveOut.of(one) for one in story.ledger],
    )


@router.get(
    "/v1/holds/{out_order_no}/story",
    response_model=HoldStoryOut,
    summary="The story of a hold",
    tags=["holds"],
)
def get_hold_story(request: Request, caller: Reader, out_order_no: str) -> HoldStoryOut:
    """What was frozen, taken and let go, what Alipay was asked and told us, events and deliveries, in
    sentences and in time order; and what happens next."""
    context = context_of(request)
    with context.database.read() as tx:
        hold = read_hold(tx, caller.merchant_id, out_order_no)
        story = tell_hold(tx, hold, context.settings.retention_notifications_days)
        shown = render_hold(tx, hold)
    return HoldStoryOut(
        environment=hold.environment,
        hold=shown,
        next=NextOut.all_of(story.upcoming),
        entries=list(story.entries),
    )


@router.get(
    "/v1/agreements/{number}/story",
    response_model=AgreementStoryOut,
    summary="The story of an agreement",
    tags=["agreements"],
)
def get_agreement_story(request: Request, caller: Reader, number: str) -> AgreementStoryOut:
    """Signatures and ends, each try to charge and its calls, what Alipay was asked and told us, events and
    deliveries, in sentences and in time order; and what happens next."""
    context = context_of(request)
    keep_days = context.settings.retention_notifications_days
    with context.database.read() as tx:
        agreement = read_agreement(tx, caller.merchant_id, number)
        story = tell_agreement(tx, agreement, keep_days, context.clock.now())
        shown = render_agreement(tx, context, agreement)
    return AgreementStoryOut(
        environment=agreement.environment,
        agreement=shown,
        next=NextOut.all_of(story.upcoming),
        entries=list(story.entries),
    )


@router.get(
    "/v1/transfers/{out_biz_no}/story",
    response_model=TransferStoryOut,
    summary="The story of a transfer",
    tags=["transfers"],
)
def get_transfer_story(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("transfers:read"))],
    out_biz_no: str,
) -> TransferStoryOut:
    """Who wanted and approved it, what was sent and answered, what Alipay told, events and deliveries, in
    sentences and in time order; and what happens next."""
    context = context_of(request)
    with context.database.read() as tx:
        transfer = read_transfer(tx, caller.merchant_id, out_biz_no)
        story = tell_transfer(tx, transfer, context.settings.retention_notifications_days)
    return TransferStoryOut(
        environment=transfer.environment,
        transfer=TransferOut.of(transfer),
        next=NextOut.all_of(story.upcoming),
        entries=list(story.entries),
    )
