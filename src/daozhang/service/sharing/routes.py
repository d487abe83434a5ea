"""Shares of an order over HTTP: ask for some, list them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from daozhang.money import Money
from daozhang.service.approvals.model import Approval
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.db import Tx
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.orders.actions import lock_numbered, read_order
from daozhang.service.orders.model import Order
from daozhang.service.sharing import rules, store
from daozhang.service.sharing.approving import share_or_ask
from daozhang.service.sharing.model import NewRound
from daozhang.service.sharing.planning import read_plan, round_by_plan
from daozhang.service.sharing.refusals import ShareNumberMissing
from daozhang.service.sharing.requesting import SHAREABLE, shared_of
from daozhang.service.sharing.views import (
    RoundList,
    RoundOut,
    ShareApprovalOut,
    SharesIn,
)
from daozhang.service.web.context import context_of
from daozhang.service.web.idempotency import answer_once, number_by_key
from daozhang.service.web.problem import amount_of

router = APIRouter(prefix="/v1/orders", tags=["sharing"])

Reader = Annotated[Caller, Depends(caller_with("orders:read"))]
Writer = Annotated[Caller, Depends(caller_with("sharing:write"))]


@router.post(
    "/{out_trade_no}/shares",
    status_code=201,
    summary="Share an order",
    response_model=RoundOut,
    responses={
        200: {"model": RoundOut, "description": "It is there already."},
        202: {"model": ShareApprovalOut, "description": "It waits for a second person."},
    },
)
def post_shares(request: Request, caller: Writer, out_trade_no: str, wanted: SharesIn) -> Response:
    """Passes parts of a paid order on. The answer says `requested`: what became of each is told by its end.

    The amount is set aside at once, on the same remainder that refunds draw on. Above the amounts that
    the merchant has set it waits for a second person: the answer is 202 and an approval.
    """
    context = context_of(request)
    jobs: Jobs = request.app.state.jobs
    number = wanted.out_request_no or number_by_key(request)
    if number is None:
        raise ShareNumberMissing

    def share() -> tuple[int, RoundOut | ShareApprovalOut]:
        now = context.clock.now()
        with context.database.begin() as tx:
            order = lock_numbered(tx, caller.merchant_id, out_trade_no)
            new = _new_round(tx, order, wanted, number, f"api_key:{caller.api_key_id}")
            made, is_new = share_or_ask(
                tx, jobs, order, new, caller.actor, now, key_made_by=caller.key_made_by
            )
            shares = store.list_shares(tx, order.id)
        if isinstance(made, Approval):
            return 202, ShareApprovalOut.of(made, out_trade_no, number, caller.environment)
        return (201 if is_new else 200), RoundOut.of(made, shares, out_trade_no, caller.environment)

    return answer_once(request, caller, share)


def _new_round(tx: Tx, order: Order, wanted: SharesIn, number: str, requested_by: str) -> NewRound:
    if wanted.plan is not None:
        return round_by_plan(
            order, read_plan(tx, order.merchant_id, wanted.plan), number, requested_by
        )
    return NewRound(
        out_request_no=number,
        shares=tuple(
            (share.account, amount_of(share.amount, order.amount.currency))
            for share in wanted.shares
        ),
        mode=wanted.mode,
        finishes=wanted.finish,
        returns=wanted.returns,
        description=wanted.description,
        requested_by=requested_by,
    )


@router.get("/{out_trade_no}/shares", response_model=RoundList, summary="List an order's shares")
def get_shares(request: Request, caller: Reader, out_trade_no: str) -> RoundList:
    """The rounds in which the order was shared, with each share, and what could still be."""
    context = context_of(request)
    with context.database.read() as tx:
        order = read_order(tx, caller.merchant_id, out_trade_no)
        rounds = store.list_rounds(tx, order.id)
        shares = store.list_shares(tx, order.id)
        merchant = find_merchant_by_id(tx, order.merchant_id)
        shared = shared_of(tx, order)
    limit = rules.limit_of(order.amount, merchant.share_percent_max) - shared
    left = min(limit, order.remainder) if order.status in SHAREABLE else Money.zero()
    return RoundList(
        environment=order.environment,
        shared_amount=str(shared),
        shareable_amount=str(max(left, Money.zero(order.amount.currency))),
        data=[RoundOut.of(one, shares, out_trade_no, order.environment) for one in rounds],
    )
