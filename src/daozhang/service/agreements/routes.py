"""Agreements over HTTP: create, the page, end, move the planned day, charge, ask."""

from __future__ import annotations

from typing import Annotated, Final, cast

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from daozhang.service.agreements import store
from daozhang.service.agreements.actions import (
    create_agreement,
    end_agreement,
    mark_opened,
    read_agreement,
    request_deduction,
    request_payment,
    unsignable,
)
from daozhang.service.agreements.deciding import move_plan as move_plan_at_alipay
from daozhang.service.agreements.deciding import note
from daozhang.service.agreements.model import Agreement, AgreementStatus, NewAgreement
from daozhang.service.agreements.settling import lock_agreement
from daozhang.service.agreements.views import (
    AgreementIn,
    AgreementOut,
    AgreementPage,
    DeductionIn,
    DeductionOut,
    PlanDayIn,
    SigningPaymentIn,
)
from daozhang.service.agreements.workflow import AgreementWork
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.db import Tx
from daozhang.service.merchants.clients import clients_of
from daozhang.service.orders.model import NewOrder, Way
from daozhang.service.orders.options import SigningOptions
from daozhang.service.orders.routes import PAGE_ROWS_MAX
from daozhang.service.orders.routes import render as render_order
from daozhang.service.orders.store import find_order_by_id
from daozhang.service.orders.views import OrderOut
from daozhang.service.seal import TokenRefused
from daozhang.service.web.context import Context, context_of
from daozhang.service.web.idempotency import answer_once
from daozhang.service.web.pages import page_response, problem_page
from daozhang.service.web.pagination import read_cursor, write_cursor
from daozhang.service.web.problem import amount_of

router = APIRouter(tags=["agreements"])

SIGN_PURPOSE: Final = "sign"
"""What the address of a page is signed for."""

Reader = Annotated[Caller, Depends(caller_with("orders:read"))]
Writer = Annotated[Caller, Depends(caller_with("orders:write"))]


@router.post("/v1/agreements", status_code=201, summary="Create an agreement")
def post_agreement(request: Request, caller: Writer, wanted: AgreementIn) -> Response:
    """Creates an agreement, or gives back the one of that number and content. Send the buyer to
    `sign_url`; nothing is signed by this.

    Idempotent by `external_agreement_no`, and by `Idempotency-Key` if one is sent.
    """
    context = context_of(request)

    def create() -> tuple[int, AgreementOut]:
        now = context.clock.now()
        new = NewAgreement(
            external_agreement_no=wanted.external_agreement_no,
            personal_product_code=f"{wanted.product}_P",
            product_code=wanted.product,
            sign_scene=wanted.sign_scene,
            channel=wanted.channel,
            expires_at=wanted.expiry(now),
            rule=None if wanted.rule is None else wanted.rule.rule(),
            plan=None if wanted.plan is None else wanted.plan.plan(),
            external_logon_id=wanted.external_logon_id,
            return_url=wanted.return_url,
            metadata=wanted.metadata,
        )
        merchant = clients_of(request).merchant(caller.merchant_id)
        with context.database.begin() as tx:
            agreement, is_new = create_agreement(tx, merchant, new, now)
            return (201 if is_new else 200), render(tx, context, agreement)

    return answer_once(request, caller, create)


@router.get("/v1/agreements/{number}", response_model=AgreementOut, summary="Read an agreement")
def get_agreement(request: Request, caller: Reader, number: str) -> AgreementOut:
    """The agreement as it stands, with every try to charge it."""
    return _shown(context_of(request), caller, number)


@router.get("/v1/agreements", response_model=AgreementPage, summary="List agreements")
def get_agreements(
    request: Request,
    caller: Reader,
    status: AgreementStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = 20,
    cursor: str | None = None,
) -> AgreementPage:
    """The merchant's agreements, newest first, a page at a time."""
    context = context_of(request)
    before_id = None if cursor is None else read_cursor(cursor)
    with context.database.read() as tx:
        found = store.list_agreements(
            tx,
            caller.merchant_id,
            before_id=before_id,
            rows_max=limit + 1,
            status=None if status is None else status.value,
        )
        page = found[:limit]
        return AgreementPage(
            environment=caller.environment,
            data=[render(tx, context, agreement) for agreement in page],
            next_cursor=write_cursor(page[-1].id) if len(found) > limit else None,
        )


@router.get("/agree/{token}", include_in_schema=False)
def agree(request: Request, token: str) -> Response:
    """Leads to Alipay's page for signing, signed at the click, or says why it cannot."""
    context = context_of(request)
    try:
        row_id = context.sealer.read_token(SIGN_PURPOSE, token, context.clock.now())["agreement_id"]
    except TokenRefused:
        return page_response(problem_page("link_invalid"), 404)
    with context.database.begin() as tx:
        agreement = lock_agreement(tx, int(row_id))
        problem = unsignable(agreement, context.clock.now())
        if problem is None:
            mark_opened(tx, context, agreement)
    if problem is not None:
        return page_response(problem_page(problem, continue_url=agreement.return_url), 410)
    address = _work_of(request).calls.page(agreement)
    return RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})


@router.post(
    "/v1/agreements/{number}/unsign", response_model=AgreementOut, summary="End an agreement"
)
def unsign_agreement(request: Request, caller: Writer, number: str) -> AgreementOut:
    """Ends a signed agreement: `ending` until Alipay has proven it, then `agreement.ended`. Nothing is
    charged by it from now on."""
    context = context_of(request)
    with context.database.begin() as tx:
        agreement = lock_agreement(tx, read_agreement(tx, caller.merchant_id, number).id)
        agreement = end_agreement(tx, context, agreement)
        note(tx, context, caller.actor, "agreement.end_asked", agreement)
    if agreement.status is AgreementStatus.ENDING:
        _work_of(request).run(agreement.id)
    return _shown(context, caller, number)


@router.post(
    "/v1/agreements/{number}/query", response_model=AgreementOut, summary="Ask about an agreement"
)
def query_agreement(request: Request, caller: Writer, number: str) -> AgreementOut:
    """Asks Alipay now, settles the answer, and shows the agreement as it then stands."""
    context = context_of(request)
    with context.database.read() as tx:
        agreement = read_agreement(tx, caller.merchant_id, number)
    _work_of(request).run(agreement.id)
    return _shown(context, caller, number)


@router.post(
    "/v1/agreements/{number}/plan", response_model=AgreementOut, summary="Move the planned day"
)
def move_plan(request: Request, caller: Writer, number: str, wanted: PlanDayIn) -> AgreementOut:
    """Moves the next charge to a later day, at Alipay; then asks how the plan stands."""
    move_plan_at_alipay(
        _work_of(request), caller.actor, caller.merchant_id, number, wanted.next_deduct_on
    )
    return _shown(context_of(request), caller, number)


@router.post(
    "/v1/agreements/{number}/deductions",
    response_model=DeductionOut,
    status_code=202,
    summary="Charge an agreement",
)
def post_deduction(
    request: Request, caller: Writer, number: str, wanted: DeductionIn
) -> DeductionOut:
    """Charges the present period: an order of its own, charged soon by a durable job.

    `order.paid` tells that it was charged, `agreement.deduction_failed` that it was not.
    """
    context = context_of(request)
    merchant = clients_of(request).merchant(caller.merchant_id)
    with context.database.begin() as tx:
        agreement = lock_agreement(tx, read_agreement(tx, caller.merchant_id, number).id)
        order, deduction, is_new = request_deduction(
            tx,
            context,
            merchant,
            agreement,
            wanted.out_trade_no,
            amount_of(wanted.amount, "CNY"),
            wanted.subject,
        )
        if is_new:
            note(tx, context, caller.actor, "agreement.charge_asked", agreement, order.amount)
    return DeductionOut.of(deduction, order)


@router.post(
    "/v1/agreements/{number}/payment",
    response_model=OrderOut,
    status_code=201,
    summary="Pay and sign at once",
)
def post_signing_payment(
    request: Request, caller: Writer, number: str, wanted: SigningPaymentIn
) -> OrderOut:
    """An order by whose payment the buyer signs the agreement, too: one page, one confirmation.

    It is paid like any other order of its `way` (`pay_url`, or `POST .../app_payment`). The payment and the
    signature are told apart: `order.paid` and `agreement.signed`, in any order.
    """
    context, work = context_of(request), _work_of(request)
    merchant = clients_of(request).merchant(caller.merchant_id)
    with context.database.begin() as tx:
        agreement = lock_agreement(tx, read_agreement(tx, caller.merchant_id, number).id)
        options = SigningOptions.model_validate(
            {"agreement_sign_params": work.calls.sign_params(agreement)}
        )
        new = NewOrder(
            out_trade_no=wanted.out_trade_no,
            amount=amount_of(wanted.amount, "CNY"),
            subject=wanted.subject,
            # Who pays signs: neither is possible longer than the other.
            expires_at=agreement.expires_at,
            way=Way(wanted.way),
            return_url=wanted.return_url,
            cart_ref=wanted.cart_ref,
            pay_options=options,
        )
        order = request_payment(tx, context, merchant, agreement, new)
    return render_order(context, order, caller.merchant_slug)


def render(tx: Tx, context: Context, agreement: Agreement) -> AgreementOut:
    """``agreement`` for the API."""
    tries: list[DeductionOut] = []
    for deduction in store.list_deductions(tx, agreement.id):
        order = find_order_by_id(tx, deduction.order_id)
        assert order is not None
        tries.append(DeductionOut.of(deduction, order))
    sign_url = None
    if unsignable(agreement, context.clock.now()) is None:
        held = {"agreement_id": agreement.id}
        token = context.sealer.sign_token(SIGN_PURPOSE, held, agreement.expires_at)
        sign_url = f"{context.settings.public_url}/agree/{token}"
    return AgreementOut.of(agreement, tries, sign_url)


def _shown(context: Context, caller: Caller, number: str) -> AgreementOut:
    with context.database.read() as tx:
        return render(tx, context, read_agreement(tx, caller.merchant_id, number))


def _work_of(request: Request) -> AgreementWork:
    return cast("AgreementWork", request.app.state.agreements)
