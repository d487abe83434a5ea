"""Surprises over HTTP: the queue, one of them, and how it ends."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from daozhang.service.approvals.model import Approval
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.orders.model import Surprise
from daozhang.service.orders.surprises import page_ended, page_open, sum_open
from daozhang.service.orders.views import Number
from daozhang.service.surprises.actions import By, Desk
from daozhang.service.surprises.reading import Known, read_surprise
from daozhang.service.surprises.rules import NOTE_CHARACTERS_MAX, meaning_of
from daozhang.service.web.context import context_of
from daozhang.service.web.idempotency import answer_once
from daozhang.service.web.pagination import RowNumber, read_cursor, write_cursor

router = APIRouter(prefix="/v1/surprises", tags=["surprises"])

Reader = Annotated[Caller, Depends(caller_with("orders:read"))]
Writer = Annotated[Caller, Depends(caller_with("orders:write"))]
Refunder = Annotated[Caller, Depends(caller_with("refunds:write"))]

Note = Annotated[str, Field(min_length=1, max_length=NOTE_CHARACTERS_MAX)]


class SurpriseOut(BaseModel):
    """A fact that did not fit."""

    object: str = "surprise"
    id: int
    environment: str
    out_trade_no: str | None = Field(description="Of the order, the hold or the agreement.")
    reason: str
    detail: str
    message: str = Field(description="What it would mean, in English.")
    message_zh: str
    amount: str
    currency: str
    owner: str = Field(description="`merchant` until somebody takes it.")
    owner_name: str | None
    created_at: datetime
    resolved_at: datetime | None
    resolution: str | None = Field(description="accepted, refunded, attached or dismissed")
    resolved_by: str | None
    resolution_note: str | None

    @classmethod
    def of(cls, surprise: Surprise, environment: str) -> Self:
        """``surprise``, rendered."""
        english, chinese = meaning_of(surprise)
        return cls(
            id=surprise.id,
            environment=environment,
            out_trade_no=surprise.out_trade_no,
            reason=surprise.reason,
            detail=surprise.detail,
            message=english,
            message_zh=chinese,
            amount=str(surprise.amount),
            currency=surprise.amount.currency,
            owner=surprise.owner,
            owner_name=surprise.owner_name,
            created_at=surprise.created_at,
            resolved_at=surprise.resolved_at,
            resolution=None if surprise.resolution is None else surprise.resolution.value,
            resolved_by=surprise.resolved_by,
            resolution_note=surprise.resolution_note,
        )


class WholeSurpriseOut(SurpriseOut):
    """A surprise with how it may end now."""

    possible_ends: list[str] = Field(default_factory=list[str])


class OpenSumOut(BaseModel):
    """What waits for people in one currency."""

    amount: str
    currency: str
    count: int
    oldest_at: datetime


class SurprisePage(BaseModel):
    """A page of surprises: open ones oldest first, ended ones newest first."""

    object: str = "list"
    environment: str
    open: list[OpenSumOut]
    data: list[SurpriseOut]
    next_cursor: str | None


class ReasonIn(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    note: Note | None = None


class DismissIn(BaseModel):
    """Why nothing is to be done."""

    model_config = ConfigDict(extra="forbid")

    note: Note


class AttachIn(BaseModel):
    """To which order the payment belongs."""

    model_config = ConfigDict(extra="forbid")

    out_trade_no: Number
    note: Note | None = None


class WaitingOut(BaseModel):
    """The refund waits for a second person; the surprise stays open until then."""

    object: str = "approval"
    id: str
    status: str
    environment: str
    expires_at: datetime


@router.get("", response_model=SurprisePage, summary="List surprises")
def get_surprises(
    request: Request,
    caller: Reader,
    status: Literal["open", "ended"] = "open",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> SurprisePage:
    """The facts that did not fit: open ones oldest first, with their sum; or those dealt with."""
    at = None if cursor is None else read_cursor(cursor)
    with context_of(request).database.read() as tx:
        if status == "open":
            rows = page_open(tx, caller.merchant_id, after_id=at, rows_max=limit + 1)
        else:
            rows = page_ended(tx, caller.merchant_id, before_id=at, rows_max=limit + 1)
        sums = sum_open(tx, caller.merchant_id)
    page = rows[:limit]
    return SurprisePage(
        environment=caller.environment,
        open=[
            OpenSumOut(
                amount=str(one.amount),
                currency=one.amount.currency,
                count=one.count,
                oldest_at=one.oldest_at,
            )
            for one in sums
        ],
        data=[SurpriseOut.of(one, caller.environment) for one in page],
        next_cursor=write_cursor(page[-1].id) if len(rows) > limit else None,
    )


@router.get("/{surprise_id}", response_model=WholeSurpriseOut, summary="Read a surprise")
def get_surprise(request: Request, caller: Reader, surprise_id: RowNumber) -> WholeSurpriseOut:
    """One surprise, and how it may end as things stand."""
    known = read_surprise(context_of(request), caller.merchant_id, surprise_id)
    return _whole(known, caller)


@router.post("/{surprise_id}/accept", response_model=SurpriseOut, summary="Accept a surprise")
def post_accept(
    request: Request, caller: Writer, surprise_id: RowNumber, told: ReasonIn
) -> Response:
    """Asks Alipay once more and takes its answer into the books, by the rules of every answer.

    A payment that nobody claims gets an order, and `order.paid`. What still does not fit is refused.
    """
    desk = desk_of(request)

    def accept() -> tuple[int, SurpriseOut]:
        ended = desk.accept(By.of_caller(caller), caller.merchant_id, surprise_id, told.note)
        return 200, SurpriseOut.of(ended, caller.environment)

    return answer_once(request, caller, accept)


@router.post(
    "/{surprise_id}/refund",
    response_model=SurpriseOut,
    summary="Refund a surprise",
    responses={202: {"model": WaitingOut, "description": "It waits for a second person."}},
)
def post_refund(
    request: Request, caller: Refunder, surprise_id: RowNumber, told: ReasonIn
) -> Response:
    """Gives back what is left of the payment. The refund is `surprise-{id}`, once, whoever asks."""
    desk = desk_of(request)

    def refund() -> tuple[int, SurpriseOut | WaitingOut]:
        made = desk.refund(By.of_caller(caller), caller.merchant_id, surprise_id, told.note)
        if isinstance(made, Approval):
            return 202, WaitingOut(
                id=made.id,
                status=made.status.value,
                environment=caller.environment,
                expires_at=made.expires_at,
            )
        return 200, SurpriseOut.of(made, caller.environment)

    return answer_once(request, caller, refund)


@router.post("/{surprise_id}/attach", response_model=SurpriseOut, summary="Attach a payment")
def post_attach(
    request: Request, caller: Writer, surprise_id: RowNumber, told: AttachIn
) -> Response:
    """Books a payment that nobody claims as an order of its own, for the order that is named.

    `order.paid` of the new order tells so in `metadata.attached_to`. The named order does not move:
    close it if it shall not be paid as well.
    """
    desk, by = desk_of(request), By.of_caller(caller)

    def attach() -> tuple[int, SurpriseOut]:
        ended = desk.attach(by, caller.merchant_id, surprise_id, told.out_trade_no, told.note)
        return 200, SurpriseOut.of(ended, caller.environment)

    return answer_once(request, caller, attach)


@router.post("/{surprise_id}/dismiss", response_model=SurpriseOut, summary="Dismiss a surprise")
def post_dismiss(
    request: Request, caller: Writer, surprise_id: RowNumber, told: DismissIn
) -> Response:
    """Says that nothing is to be done, and why."""
    desk = desk_of(request)

    def dismiss() -> tuple[int, SurpriseOut]:
        ended = desk.dismiss(By.of_caller(caller), caller.merchant_id, surprise_id, told.note)
        return 200, SurpriseOut.of(ended, caller.environment)

    return answer_once(request, caller, dismiss)


def desk_of(request: Request) -> Desk:
    """Where this service deals with surprises."""
    return Desk(request.app.state.jobs, request.app.state.inquirer)


def _whole(known: Known, caller: Caller) -> WholeSurpriseOut:
    told = SurpriseOut.of(known.surprise, caller.environment)
    return WholeSurpriseOut(
        **told.model_dump(), possible_ends=[end.value for end in known.possible_ends]
    )
