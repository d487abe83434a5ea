"""Refunds over HTTP: ask for one, list them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from daozhang.service.approvals.model import Approval
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.jobs import Jobs
from daozhang.service.orders.actions import lock_numbered, read_order
from daozhang.service.orders.views import Number, ShortText
from daozhang.service.refunds import store
from daozhang.service.refunds.approving import refund_or_ask
from daozhang.service.refunds.messages import sentences_for
from daozhang.service.refunds.model import NewRefund, Refund
from daozhang.service.refunds.refusals import RefundNumberMissing
from daozhang.service.web.context import context_of
from daozhang.service.web.idempotency import HEADER, answer_once, number_by_key
from daozhang.service.web.problem import AmountText, amount_of

router = APIRouter(prefix="/v1/orders", tags=["refunds"])


class RoyaltyParameter(BaseModel):
    """Who gives back how much of a share. Names and types are Alipay's (apis.md §3.1)."""

    model_config = ConfigDict(extra="forbid")

    royalty_type: Literal["transfer", "replenish_refund"] = "transfer"
    trans_out: ShortText | None = None
    trans_out_type: ShortText | None = None
    trans_in: ShortText | None = None
    trans_in_type: ShortText | None = None
    amount: AmountText | None = None
    desc: Annotated[str, Field(min_length=1, max_length=1000)] | None = None


class RefundIn(BaseModel):
    """A refund to be made. It needs a number of yours, here or as `Idempotency-Key`."""

    model_config = ConfigDict(extra="forbid")

    amount: AmountText = Field(description='What goes back, as text: "8.88".')
    out_request_no: Number | None = Field(None, description="Your number for this refund.")
    reason: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    operator_id: ShortText | None = None
    terminal_id: ShortText | None = None
    store_id: ShortText | None = None
    refund_royalty_parameters: list[RoyaltyParameter] = Field(
        default_factory=list[RoyaltyParameter],
        max_length=20,
        description="Who gives back how much of a share; left out, as the shares' own plan says.",
    )
    returns: Literal["plan", "seller"] = Field(
        "plan",
        description="seller: you pay what receivers of shares would have to give back.",
    )


class RefundOut(BaseModel):
    """A refund. Only `succeeded` and `failed` are its end."""

    object: str = "refund"
    out_trade_no: str
    out_request_no: str | None
    environment: str
    origin: str = Field(description="ours, external or cancel")
    status: str = Field(description="requested, unknown, succeeded or failed")
    amount: str
    currency: str
    reason: str | None
    operator_id: str | None
    terminal_id: str | None
    store_id: str | None
    last_code: str | None = Field(description="What Alipay said last, if it was no proof.")
    last_message: str | None
    message: str | None = Field(description="What that means and what to do, in English.")
    message_zh: str | None
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    destination: str | None = Field(
        description="Of a refund to a bank card: bank_card_pending, bank_card, or buyer_balance if the "
        "bank sent it back."
    )
    refund_royalty_parameters: list[dict[str, Any]]
    idempotency_key: str | None
    requested_by: str | None
    approved_by: str | None = Field(description="The second person, if it took one.")
    next_attempt_at: datetime | None
    held_at: datetime | None = Field(
        description="Since when it waits because outgoing money is stopped."
    )

    @classmethod
    def of(cls, refund: Refund, out_trade_no: str, environment: str) -> Self:
        """``refund`` of that order, rendered."""
        said = sentences_for(refund.last_code, refund.last_message)
        return cls(
            out_trade_no=out_trade_no,
            out_request_no=refund.out_request_no,
            environment=environment,
            origin=refund.origin.value,
            status=refund.status.value,
            amount=str(refund.amount),
            currency=refund.amount.currency,
            reason=refund.reason,
            operator_id=refund.operator_id,
            terminal_id=refund.terminal_id,
            store_id=refund.store_id,
            last_code=refund.last_code,
            last_message=refund.last_message,
            message=None if said is None else said[0],
            message_zh=None if said is None else said[1],
            created_at=refund.created_at,
            updated_at=refund.updated_at,
            ended_at=refund.ended_at,
            destination=None if refund.destination is None else refund.destination.value,
            refund_royalty_parameters=[dict(row) for row in refund.royalty_parameters],
            idempotency_key=refund.idempotency_key,
            requested_by=refund.requested_by,
            approved_by=refund.approved_by,
            next_attempt_at=refund.due_at,
            held_at=refund.held_at,
        )


class ApprovalOut(BaseModel):
    """A refund that waits for a second person. Nothing has moved."""

    object: str = "approval"
    id: str
    status: str = Field(description="pending")
    environment: str
    out_trade_no: str
    out_request_no: str
    amount: str | None
    requested_by: str
    created_at: datetime
    expires_at: datetime = Field(description="When it is over if nobody decides.")

    @classmethod
    def of(
        cls, approval: Approval, out_trade_no: str, out_request_no: str, environment: str
    ) -> Self:
        """``approval`` of a refund of that order, rendered."""
        return cls(
            id=approval.id,
            status=approval.status.value,
            environment=environment,
            out_trade_no=out_trade_no,
            out_request_no=out_request_no,
            amount=None if approval.amount is None else str(approval.amount),
            requested_by=approval.requested_by,
            created_at=approval.created_at,
            expires_at=approval.expires_at,
        )


class RefundList(BaseModel):
    """All refunds of an order, oldest first."""

    object: str = "list"
    environment: str
    data: list[RefundOut]


@router.post(
    "/{out_trade_no}/refunds",
    status_code=201,
    summary="Refund",
    response_model=RefundOut,
    responses={202: {"model": ApprovalOut, "description": "It waits for a second person."}},
)
def post_refund(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("refunds:write"))],
    out_trade_no: str,
    wanted: RefundIn,
) -> Response:
    """Gives money back. The answer says `requested`: whether it went is told by its end.

    The amount is reserved at once; refunds of an order never exceed what was paid. Above the
    amounts that the merchant has set it waits for a second person, and nothing is reserved yet: the
    answer is 202 and an approval, and the refund of that number is there once it is approved.
    """
    context = context_of(request)
    jobs: Jobs = request.app.state.jobs
    number = wanted.out_request_no or number_by_key(request)
    if number is None:
        raise RefundNumberMissing

    def refund() -> tuple[int, RefundOut | ApprovalOut]:
        now = context.clock.now()
        with context.database.begin() as tx:
            order = lock_numbered(tx, caller.merchant_id, out_trade_no)
            new = NewRefund(
                out_request_no=number,
                amount=amount_of(wanted.amount, order.amount.currency),
                reason=wanted.reason,
                operator_id=wanted.operator_id,
                terminal_id=wanted.terminal_id,
                store_id=wanted.store_id,
                requested_by=f"api_key:{caller.api_key_id}",
                royalty_parameters=tuple(
                    row.model_dump(exclude_none=True) for row in wanted.refund_royalty_parameters
                ),
                seller_covers=wanted.returns == "seller",
                idempotency_key=request.headers.get(HEADER),
            )
            made, is_new = refund_or_ask(
                tx,
                jobs,
                order,
                new,
                caller.actor,
                now,
                daily_limit=caller.refund_limit,
                key_made_by=caller.key_made_by,
            )
        if isinstance(made, Approval):
            return 202, ApprovalOut.of(made, out_trade_no, number, caller.environment)
        return (201 if is_new else 200), RefundOut.of(made, out_trade_no, caller.environment)

    return answer_once(request, caller, refund)


@router.get("/{out_trade_no}/refunds", response_model=RefundList, summary="List an order's refunds")
def get_refunds(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("orders:read"))],
    out_trade_no: str,
) -> RefundList:
    """The order's refunds, whoever started them."""
    context = context_of(request)
    with context.database.read() as tx:
        order = read_order(tx, caller.merchant_id, out_trade_no)
        refunds = store.list_refunds(tx, order.id)
    return RefundList(
        environment=order.environment,
        data=[RefundOut.of(refund, out_trade_no, order.environment) for refund in refunds],
    )
