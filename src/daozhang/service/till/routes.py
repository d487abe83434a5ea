"""The till over HTTP: charge a code that was scanned, see how it stands, give it up."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from daozhang.alipay.operations.pay import scene_of
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.orders.actions import lock_numbered, read_order
from daozhang.service.orders.routes import render
from daozhang.service.orders.views import ShortText
from daozhang.service.till import store
from daozhang.service.till.model import Scan
from daozhang.service.till.refusals import NoBarcodePayment, PaymentCodeInvalid
from daozhang.service.till.scanning import begin, cancel
from daozhang.service.till.views import BarcodePaymentOut
from daozhang.service.till.workflow import Till
from daozhang.service.web.answers import answer
from daozhang.service.web.context import context_of

router = APIRouter(prefix="/v1/orders", tags=["till"])

Writer = Annotated[Caller, Depends(caller_with("orders:write"))]

NOT_FINAL = 202
"""The status of an answer that is not the last word."""


class BarcodePaymentIn(BaseModel):
    """A code that was scanned. It is used once, now, and never kept."""

    model_config = ConfigDict(extra="forbid")

    auth_code: Annotated[str, StringConstraints(strip_whitespace=True, max_length=512)] = Field(
        description="As the scanner typed it: the buyer's payment code, or a face's."
    )
    operator_id: ShortText | None = None
    terminal_id: ShortText | None = None
    store_id: ShortText | None = None


@router.post(
    "/{out_trade_no}/barcode_payment",
    response_model=BarcodePaymentOut,
    summary="Charge a scanned code",
    responses={NOT_FINAL: {"model": BarcodePaymentOut, "description": "Not the last word yet."}},
)
def post_barcode_payment(
    request: Request, caller: Writer, out_trade_no: str, wanted: BarcodePaymentIn
) -> Response:
    """Charges the buyer's payment code for an order with `way` `barcode`.

    Answers at once when it is final, and with 202 when it is not: read it again, or wait for the
    order's events. The same code again is the same payment: it is never charged twice.
    """
    context = context_of(request)
    till = _till_of(request)
    scene = scene_of(wanted.auth_code)
    if scene is None:
        raise PaymentCodeInvalid(wanted.auth_code)
    scan = Scan(wanted.auth_code, scene, wanted.operator_id, wanted.terminal_id, wanted.store_id)
    with context.database.begin() as tx:
        order = lock_numbered(tx, caller.merchant_id, out_trade_no)
        payment, is_new = begin(tx, context, order, scan)
    if is_new:
        till.charge(order, payment, scan)
    return _answer(request, caller, out_trade_no)


@router.get(
    "/{out_trade_no}/barcode_payment",
    response_model=BarcodePaymentOut,
    summary="Read a payment at the till",
)
def get_barcode_payment(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("orders:read"))],
    out_trade_no: str,
) -> BarcodePaymentOut:
    """How the last code that was scanned for the order stands, and what to tell the buyer."""
    return _read(request, caller, out_trade_no)


@router.post(
    "/{out_trade_no}/cancel",
    response_model=BarcodePaymentOut,
    summary="Give up a payment at the till",
    responses={NOT_FINAL: {"model": BarcodePaymentOut, "description": "Not the last word yet."}},
)
def cancel_order(request: Request, caller: Writer, out_trade_no: str) -> Response:
    """Cancels a payment at the till that is not decided: money that was charged goes back.

    The answer is final once Alipay has proven it, else 202 and `cancelling`.
    """
    context = context_of(request)
    with context.database.begin() as tx:
        order = lock_numbered(tx, caller.merchant_id, out_trade_no)
        _, payment = cancel(tx, context, order)
    _till_of(request).run(payment.id)
    return _answer(request, caller, out_trade_no)


def _answer(request: Request, caller: Caller, out_trade_no: str) -> Response:
    shown = _read(request, caller, out_trade_no)
    return answer(shown, 200 if shown.final or shown.may_scan_again else NOT_FINAL)


def _read(request: Request, caller: Caller, out_trade_no: str) -> BarcodePaymentOut:
    context = context_of(request)
    with context.database.read() as tx:
        order = read_order(tx, caller.merchant_id, out_trade_no)
        payment = store.latest_payment(tx, order.id)
    if payment is None:
        raise NoBarcodePayment(order)
    rendered = render(context, order, caller.merchant_slug)
    return BarcodePaymentOut.of(payment, order, rendered)


def _till_of(request: Request) -> Till:
    return cast("Till", request.app.state.till)
