"""The stories of orders, holds and agreements over HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from daozhang.service.agreements import duties as agreement_duties
from daozhang.service.agreements import events as agreement_events
from daozhang.service.agreements import store as agreements_store
from daozhang.service.agreements import telling as agreements_telling
from daozhang.service.agreements.actions import read_agreement
from daozhang.service.agreements.routes import render as render_agreement
from daozhang.service.agreements.rules import window_opens_at
from daozhang.service.agreements.views import AgreementOut
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.charges import telling as charges_telling
from daozhang.service.charges.model import Charge, ChargeKind
from daozhang.service.charges.store import charge_of_order, list_charges
from daozhang.service.db import Tx
from daozhang.service.holds import duties as hold_duties
from daozhang.service.holds import events as hold_events
from daozhang.service.holds import store as holds_store
from daozhang.service.holds import telling as holds_telling
from daozhang.service.holds.actions import read_hold
from daozhang.service.holds.routes import render as render_hold
from daozhang.service.holds.views import HoldOut
from daozhang.service.orders import telling as orders_telling
from daozhang.service.orders.actions import read_order
from daozhang.service.orders.model import Order, Way
from daozhang.service.orders.routes import render
from daozhang.service.orders.store import (
    find_order_by_id,
    list_steps,
    list_surprises,
)
from daozhang.service.orders.views import OrderOut, StepOut
from daozhang.service.outbox.store import list_events_about, list_events_of_order
from daozhang.service.story.entries import (
    Entry,
    in_order,
    tell_events,
    tell_notifications,
    tell_surprises,
)
from daozhang.service.till import telling as till_telling
from daozhang.service.till.store import list_payments
from daozhang.service.web.context import Context, context_of

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
        charge = charge_of_order(tx, order.id)
        payments = list_payments(tx, order.id) if order.way is Way.BARCODE else []
        charges = [] if charge is None else [(charge, order)]
        entries = in_order(
            [_created(order)],
            tell_notifications(tx, order.merchant_id, out_trade_no, _keep_days(context)),
            till_telling.tell(payments),
            *(charges_telling.tell(one, out_trade_no) for one, _ in charges),
            [
                StepOut.of(step).model_dump(mode="json") | _said(orders_telling.sentence_of(step))
                for step in list_steps(tx, order.id)
            ],
            tell_surprises(list_surprises(tx, order.merchant_id, order.id)),
            tell_events(tx, order.merchant_id, list_events_of_order(tx, order.id)),
        )
    upcoming = [
        *orders_telling.tell_next(order),
        *till_telling.tell_next(payments),
        *_upcoming(charges),
    ]
    return StoryOut(
        environment=order.environment,
        order=render(context, order, caller.merchant_slug),
        next_question_at=order.next_query_at,
        next=NextOut.all_of(upcoming),
        entries=entries,
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
        charges = _charges_of(tx, ChargeKind.HOLD, hold.id)
        releases = holds_store.list_releases(tx, hold.id)
        events = list_events_about(tx, hold.merchant_id, hold_events.subject_of(hold))
        entries = in_order(
            holds_telling.tell(hold, holds_store.list_steps(tx, hold.id), releases),
            _notices(tx, context, hold.merchant_id, out_order_no, hold_duties.NOTIFY_TYPES),
            _captures(charges),
            tell_surprises(list_surprises(tx, hold.merchant_id, number=out_order_no)),
            tell_events(tx, hold.merchant_id, events),
        )
        shown = render_hold(tx, hold)
    upcoming = [*holds_telling.tell_next(hold, releases), *_upcoming(charges)]
    return HoldStoryOut(
        environment=hold.environment,
        hold=shown,
        next=NextOut.all_of(upcoming),
        entries=entries,
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
    with context.database.read() as tx:
        agreement = read_agreement(tx, caller.merchant_id, number)
        charges = _charges_of(tx, ChargeKind.AGREEMENT, agreement.id)
        order_of = {order.id: order for _, order in charges}
        tries = [
            (one, order_of[one.order_id])
            for one in agreements_store.list_deductions(tx, agreement.id)
        ]
        merchant_id = agreement.merchant_id
        events = list_events_about(tx, merchant_id, agreement_events.subject_of(agreement))
        steps = agreements_store.list_steps(tx, agreement.id)
        entries = in_order(
            agreements_telling.tell(agreement, steps, tries),
            _notices(tx, context, merchant_id, number, agreement_duties.NOTIFY_TYPES),
            *(charges_telling.tell(charge, order.out_trade_no) for charge, order in charges),
            tell_surprises(list_surprises(tx, merchant_id, number=number)),
            tell_events(tx, merchant_id, events),
        )
        shown = render_agreement(tx, context, agreement)
    opens_at = window_opens_at(agreement, context.clock.now())
    upcoming = [*agreements_telling.tell_next(agreement, opens_at), *_upcoming(charges)]
    return AgreementStoryOut(
        environment=agreement.environment,
        agreement=shown,
        next=NextOut.all_of(upcoming),
        entries=entries,
    )


def _created(order: Order) -> Entry:
    said = (
        f"The order over {order.amount} {order.amount.currency} was created ({order.subject}).",
        f"创建订单 {order.amount} {order.amount.currency}（{order.subject}）。",
    )
    return orders_telling.entry("created", order.created_at, said)


def _said(sentence: orders_telling.Sentence) -> dict[str, str]:
    return {"say": sentence[0], "say_zh": sentence[1]}


def _charges_of(tx: Tx, kind: ChargeKind, owner_id: int) -> list[tuple[Charge, Order]]:
    found: list[tuple[Charge, Order]] = []
    for charge in list_charges(tx, kind, owner_id):
        order = find_order_by_id(tx, charge.order_id)
        assert order is not None, "a charge's order is never deleted"
        found.append((charge, order))
    return found


def _captures(charges: Iterable[tuple[Charge, Order]]) -> list[Entry]:
    entries: list[Entry] = []
    for charge, order in charges:
        said = (
            f"{order.amount} is to be taken out of the hold, as order {order.out_trade_no}.",
            f"发起从预授权中扣款 {order.amount}，订单号 {order.out_trade_no}。",
        )
        amount, number = str(order.amount), order.out_trade_no
        begun = orders_telling.entry(
            "capture", order.created_at, said, out_trade_no=number, amount=amount
        )
        entries += [begun, *charges_telling.tell(charge, number)]
    return entries


def _upcoming(charges: Iterable[tuple[Charge, Order]]) -> Iterable[dict[str, Any]]:
    for charge, _ in charges:
        yield from charges_telling.tell_next(charge)


def _notices(
    tx: Tx, context: Context, merchant_id: int, number: str, kinds: tuple[str, ...]
) -> list[Entry]:
    return tell_notifications(tx, merchant_id, number, _keep_days(context), kinds)


def _keep_days(context: Context) -> int:
    return context.settings.retention_notifications_days
