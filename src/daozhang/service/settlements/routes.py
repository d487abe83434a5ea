"""Settlements of an order over HTTP: have one confirmed, list them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.jobs import Jobs
from daozhang.service.orders.actions import lock_numbered, read_order
from daozhang.service.settlements import store
from daozhang.service.settlements.model import NewSettlement
from daozhang.service.settlements.refusals import SettlementNumberMissing
from daozhang.service.settlements.requesting import request_settlement
from daozhang.service.settlements.views import SettlementIn, SettlementList, SettlementOut
from daozhang.service.web.context import context_of
from daozhang.service.web.idempotency import answer_once, number_by_key

router = APIRouter(prefix="/v1/orders", tags=["sharing"])

Reader = Annotated[Caller, Depends(caller_with("orders:read"))]
Writer = Annotated[Caller, Depends(caller_with("sharing:write"))]


@router.post(
    "/{out_trade_no}/settlements",
    status_code=201,
    summary="Confirm a settlement (直付通)",
    response_model=SettlementOut,
    responses={200: {"model": SettlementOut, "description": "It is there already."}},
)
def post_settlements(
    request: Request, caller: Writer, out_trade_no: str, wanted: SettlementIn
) -> Response:
    """Lets what is left of a payment be settled, for merchants of direct pay: before, Alipay holds it and
    nothing of it can be shared. The answer says `requested`: whether it is confirmed is told by its end.
    """
    context = context_of(request)
    jobs: Jobs = request.app.state.jobs
    number = wanted.out_request_no or number_by_key(request)
    if number is None:
        raise SettlementNumberMissing
    new = NewSettlement(
        out_request_no=number,
        freezes=wanted.royalty_freeze,
        requested_by=f"api_key:{caller.api_key_id}",
    )

    def confirm() -> tuple[int, SettlementOut]:
        with context.database.begin() as tx:
            order = lock_numbered(tx, caller.merchant_id, out_trade_no)
            made, is_new = request_settlement(
                tx, jobs, order, new, caller.actor, context.clock.now()
            )
        shown = SettlementOut.of(made, out_trade_no, caller.environment)
        return (201 if is_new else 200), shown

    return answer_once(request, caller, confirm)


@router.get(
    "/{out_trade_no}/settlements",
    response_model=SettlementList,
    summary="List an order's settlements",
)
def get_settlements(request: Request, caller: Reader, out_trade_no: str) -> SettlementList:
    """The settlements that were asked for, each with where it stands."""
    with context_of(request).database.read() as tx:
        order = read_order(tx, caller.merchant_id, out_trade_no)
        found = store.list_settlements(tx, order.id)
    return SettlementList(
        environment=order.environment,
        data=[SettlementOut.of(one, out_trade_no, order.environment) for one in found],
    )
