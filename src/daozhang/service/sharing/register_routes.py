"""Receivers, plans and settings over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import JSONResponse

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.sharing import register
from daozhang.service.sharing.actions import (
    bind_receiver,
    put_plan,
    set_sharing,
    unbind_receiver,
)
from daozhang.service.sharing.model import CoverPolicy, ReceiverType
from daozhang.service.sharing.views import (
    PlanIn,
    PlanList,
    PlanOut,
    ReceiverIn,
    ReceiverList,
    ReceiverOut,
    SharingIn,
    SharingOut,
)
from daozhang.service.web.context import context_of

router = APIRouter(prefix="/v1/sharing", tags=["sharing"])

Reader = Annotated[Caller, Depends(caller_with("orders:read"))]
Writer = Annotated[Caller, Depends(caller_with("sharing:write"))]
PlanName = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


@router.get("", response_model=SharingOut, summary="How the merchant shares")
def get_sharing(request: Request, caller: Reader) -> SharingOut:
    """The limit of the agreement, the plan of every payment, and who pays where a receiver cannot."""
    with context_of(request).database.read() as tx:
        return SharingOut.of(find_merchant_by_id(tx, caller.merchant_id))


@router.put("", response_model=SharingOut, summary="Set how the merchant shares")
def put_sharing(request: Request, caller: Writer, wanted: SharingIn) -> SharingOut:
    """Takes effect for payments and refunds from now on. Left out means the default."""
    context = context_of(request)
    with context.database.begin() as tx:
        merchant = set_sharing(
            tx,
            context,
            caller.actor,
            caller.merchant_id,
            percent_max=wanted.percent_max,
            plan=wanted.plan,
            cover=CoverPolicy(wanted.when_receiver_cannot_return),
            direct_pay=wanted.direct_pay,
        )
    return SharingOut.of(merchant)


@router.get("/receivers", response_model=ReceiverList, summary="List receivers")
def get_receivers(request: Request, caller: Reader) -> ReceiverList:
    """Everybody who was ever to receive, and where the relation stands."""
    with context_of(request).database.read() as tx:
        listed = register.list_receivers(tx, caller.merchant_id)
    return ReceiverList(data=[ReceiverOut.of(one) for one in listed])


@router.post(
    "/receivers",
    status_code=201,
    response_model=ReceiverOut,
    responses={200: {"model": ReceiverOut, "description": "It is bound, or being bound, already."}},
    summary="Bind a receiver",
)
def post_receiver(request: Request, caller: Writer, wanted: ReceiverIn) -> Response:
    """Lets somebody be given shares. The answer says `binding`: Alipay is asked soon; read it again."""
    context = context_of(request)
    with context.database.begin() as tx:
        receiver, is_new = bind_receiver(
            tx,
            context,
            caller.actor,
            caller.merchant_id,
            kind=ReceiverType(wanted.type),
            account=wanted.account,
            name=wanted.name,
            memo=wanted.memo,
        )
    body = ReceiverOut.of(receiver).model_dump(mode="json")
    return JSONResponse(body, status_code=201 if is_new else 200)


@router.delete("/receivers/{account}", response_model=ReceiverOut, summary="Unbind a receiver")
def delete_receiver(request: Request, caller: Writer, account: str) -> ReceiverOut:
    """From now on they get no shares. What they have had stays with them."""
    context = context_of(request)
    with context.database.begin() as tx:
        receiver = unbind_receiver(tx, context, caller.actor, caller.merchant_id, account)
    return ReceiverOut.of(receiver)


@router.get("/plans", response_model=PlanList, summary="List plans")
def get_plans(request: Request, caller: Reader) -> PlanList:
    """The merchant's plans, by name."""
    with context_of(request).database.read() as tx:
        plans = register.list_plans(tx, caller.merchant_id)
    return PlanList(data=[PlanOut.of(plan) for plan in plans])


@router.put("/plans/{name}", response_model=PlanOut, summary="Set a plan")
def put_plan_of_name(request: Request, caller: Writer, name: PlanName, wanted: PlanIn) -> PlanOut:
    """Makes a plan, or replaces the one of that name for payments from now on."""
    context = context_of(request)
    with context.database.begin() as tx:
        plan = put_plan(
            tx, caller.actor, caller.merchant_id, wanted.plan(name), context.clock.now()
        )
    return PlanOut.of(plan)
