"""Holds over HTTP: create, let the buyer confirm, take, let go, give up, ask."""

from __future__ import annotations

from typing import Annotated, Final, cast

from fastapi import APIRouter, Depends, Query, Request, Response

from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.operations.pay import scene_of
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.charges.store import charge_of_order
from daozhang.service.db import Tx
from daozhang.service.holds import store
from daozhang.service.holds.actions import (
    ask_soon,
    begin_scan,
    create_hold,
    give_up,
    hand_out,
    new_capture,
    read_hold,
    request_capture,
    request_release,
)
from daozhang.service.holds.deciding import note
from daozhang.service.holds.model import Hold, HoldStatus, HoldWay, NewHold
from daozhang.service.holds.refusals import HoldNotMade, HoldRefused
from daozhang.service.holds.settling import balance, captures_of, lock_hold
from daozhang.service.holds.views import (
    PRODUCTS,
    AppHoldOut,
    CaptureIn,
    CaptureOut,
    HoldCodeOut,
    HoldIn,
    HoldOut,
    HoldPage,
    ReleaseIn,
    ReleaseOut,
    ScanIn,
)
from daozhang.service.holds.workflow import HoldWork
from daozhang.service.merchants.clients import clients_of
from daozhang.service.orders.refusals import ExpiryOutOfRange
from daozhang.service.orders.routes import PAGE_ROWS_MAX
from daozhang.service.till.code_routes import CODE_PURPOSE
from daozhang.service.till.refusals import PaymentCodeInvalid
from daozhang.service.web.context import Context, context_of
from daozhang.service.web.idempotency import answer_once
from daozhang.service.web.pagination import read_cursor, write_cursor
from daozhang.service.web.problem import amount_of

router = APIRouter(prefix="/v1/holds", tags=["holds"])

Reader = Annotated[Caller, Depends(caller_with("orders:read"))]
Writer = Annotated[Caller, Depends(caller_with("orders:write"))]

ACCEPTED: Final = 202
"""The status of an answer that is not the last word."""


@router.post("", status_code=201, summary="Create a hold")
def post_hold(request: Request, caller: Writer, wanted: HoldIn) -> Response:
    """Creates a hold, or gives back the one of that number and content. Nothing is frozen by it.

    Idempotent by `out_order_no`, and by `Idempotency-Key` if one is sent.
    """
    context = context_of(request)

    def create() -> tuple[int, HoldOut]:
        now = context.clock.now()
        try:
            expires_at = wanted.expiry(now, context.settings.order_expiry_seconds)
        except ValueError as error:
            raise ExpiryOutOfRange(str(error)) from None
        new = NewHold(
            out_order_no=wanted.out_order_no,
            amount=amount_of(wanted.amount, wanted.currency),
            title=wanted.title,
            way=HoldWay(wanted.way),
            product_code=wanted.product_code or PRODUCTS[wanted.way],
            expires_at=expires_at,
            operator_id=wanted.operator_id,
            terminal_id=wanted.terminal_id,
            store_id=wanted.store_id,
            metadata=wanted.metadata,
        )
        merchant = clients_of(request).merchant(caller.merchant_id)
        with context.database.begin() as tx:
            hold, is_new = create_hold(tx, merchant, new, now)
            return (201 if is_new else 200), render(tx, hold)

    return answer_once(request, caller, create)


@router.get("/{out_order_no}", response_model=HoldOut, summary="Read a hold")
def get_hold(request: Request, caller: Reader, out_order_no: str) -> HoldOut:
    """The hold as it stands, with what was taken, what was let go, and what remains."""
    return _shown(context_of(request), caller, out_order_no)


@router.get("", response_model=HoldPage, summary="List holds")
def get_holds(
    request: Request,
    caller: Reader,
    status: HoldStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = 20,
    cursor: str | None = None,
) -> HoldPage:
    """The merchant's holds, newest first, a page at a time."""
    before_id = None if cursor is None else read_cursor(cursor)
    with context_of(request).database.read() as tx:
        found = store.list_holds(
            tx,
            caller.merchant_id,
            before_id=before_id,
            rows_max=limit + 1,
            status=None if status is None else status.value,
        )
        page = found[:limit]
        return HoldPage(
            environment=caller.environment,
            data=[render(tx, hold) for hold in page],
            next_cursor=write_cursor(page[-1].id) if len(found) > limit else None,
        )


# ---- the buyer confirms


@router.post(
    "/{out_order_no}/app_hold", response_model=AppHoldOut, summary="Sign a hold for your app"
)
def post_app_hold(request: Request, caller: Writer, out_order_no: str) -> AppHoldOut:
    """The order string of a hold with `way` `app`, signed now. Ask when the buyer is there."""
    context = context_of(request)
    with context.database.begin() as tx:
        hold = lock_hold(tx, read_hold(tx, caller.merchant_id, out_order_no).id)
        hold = hand_out(tx, context, hold, HoldWay.APP)
    text = _work_of(request).calls.order_string(hold)
    return AppHoldOut(out_order_no=out_order_no, order_string=text, expires_at=hold.expires_at)


@router.post(
    "/{out_order_no}/qr_code", response_model=HoldCodeOut, summary="Make a code for a hold"
)
def post_hold_code(request: Request, caller: Writer, out_order_no: str) -> HoldCodeOut:
    """A code that the buyer scans to confirm a hold with `way` `qr`. Nothing is frozen by making one."""
    context = context_of(request)
    with context.database.begin() as tx:
        hold = lock_hold(tx, read_hold(tx, caller.merchant_id, out_order_no).id)
        hold = hand_out(tx, context, hold, HoldWay.QR)
    try:
        text = _work_of(request).calls.voucher(hold)
    except Rejected as no:
        raise HoldRefused(hold, no) from no
    except OutcomeUnknown as unknown:
        raise HoldNotMade(hold, unknown.reason) from unknown
    if not text:
        raise HoldNotMade(hold, "Alipay's answer holds no code")
    token = context.sealer.sign_token(CODE_PURPOSE, {"text": text}, hold.expires_at)
    picture = f"{context.settings.public_url}/qr/{token}"
    return HoldCodeOut(
        out_order_no=out_order_no,
        qr_code=text,
        svg_url=f"{picture}.svg",
        png_url=f"{picture}.png",
        expires_at=hold.expires_at,
    )


@router.post(
    "/{out_order_no}/barcode",
    response_model=HoldOut,
    summary="Freeze by a scanned code",
    responses={ACCEPTED: {"model": HoldOut, "description": "Not the last word yet."}},
)
def post_hold_scan(
    request: Request, response: Response, caller: Writer, out_order_no: str, wanted: ScanIn
) -> HoldOut:
    """Freezes by the buyer's payment code, for a hold with `way` `barcode`.

    Answers at once when it is decided, and with 202 when it is not: read it again, or wait for
    `hold.authorized` or `hold.closed`. The same code again is the same freeze.
    """
    context = context_of(request)
    auth_code = wanted.auth_code.strip()
    scene = scene_of(auth_code)
    if scene is None:
        raise PaymentCodeInvalid(auth_code)
    with context.database.begin() as tx:
        hold = lock_hold(tx, read_hold(tx, caller.merchant_id, out_order_no).id)
        hold, is_new = begin_scan(tx, context, hold, auth_code)
    if is_new:
        _work_of(request).freeze(hold, auth_code, scene)
    return _decided(response, _shown(context, caller, out_order_no))


@router.post(
    "/{out_order_no}/cancel",
    response_model=HoldOut,
    summary="Give up a hold",
    responses={ACCEPTED: {"model": HoldOut, "description": "Not the last word yet."}},
)
def cancel_hold(request: Request, response: Response, caller: Writer, out_order_no: str) -> HoldOut:
    """Gives up a hold that is not confirmed, or of which nobody knows: what was frozen goes back.

    It is `closing` until Alipay has proven it. Of an authorized one, release what remains instead.
    """
    context = context_of(request)
    with context.database.begin() as tx:
        hold = lock_hold(tx, read_hold(tx, caller.merchant_id, out_order_no).id)
        hold = give_up(tx, context, hold, "cancel")
        note(tx, context, caller.actor, "hold.cancel_asked", hold)
    if hold.status is HoldStatus.CLOSING:
        _work_of(request).run(hold.id)
    return _decided(response, _shown(context, caller, out_order_no))


@router.post("/{out_order_no}/query", response_model=HoldOut, summary="Ask Alipay about a hold")
def query_hold(request: Request, caller: Writer, out_order_no: str) -> HoldOut:
    """Asks now, settles the answer, and shows the hold as it then stands."""
    context = context_of(request)
    with context.database.begin() as tx:
        hold = lock_hold(tx, read_hold(tx, caller.merchant_id, out_order_no).id)
        ask_soon(tx, context, hold)
    _work_of(request).run(hold.id)
    return _shown(context, caller, out_order_no)


# ---- taking and letting go


@router.post(
    "/{out_order_no}/captures",
    response_model=CaptureOut,
    status_code=ACCEPTED,
    summary="Take money out of a hold",
)
def post_capture(
    request: Request, caller: Writer, out_order_no: str, wanted: CaptureIn
) -> CaptureOut:
    """A payment out of an authorized hold: an order of its own, charged soon by a durable job.

    Its events are the order's: `order.paid` when it is taken, `order.closed` when it is not. The number
    makes it one payment however often it is asked for.
    """
    context = context_of(request)
    merchant = clients_of(request).merchant(caller.merchant_id)
    with context.database.begin() as tx:
        hold = lock_hold(tx, read_hold(tx, caller.merchant_id, out_order_no).id)
        new = new_capture(
            wanted.out_trade_no,
            amount_of(wanted.amount, hold.amount.currency),
            wanted.subject,
            hold,
            context.clock.now(),
            operator_id=wanted.operator_id,
            terminal_id=wanted.terminal_id,
            cart_ref=wanted.cart_ref,
            metadata=wanted.metadata,
        )
        order, charge, is_new = request_capture(
            tx, context, merchant, hold, new, completes=wanted.complete
        )
        if is_new:
            note(tx, context, caller.actor, "hold.capture_asked", hold, order.amount)
    return CaptureOut.of(order, charge.last_code, charge.last_message)


@router.post(
    "/{out_order_no}/releases",
    response_model=ReleaseOut,
    status_code=ACCEPTED,
    summary="Let money of a hold go",
)
def post_release(
    request: Request, caller: Writer, out_order_no: str, wanted: ReleaseIn
) -> ReleaseOut:
    """Lets some of an authorized hold go. It is sent soon; `hold.released` tells when it has gone.

    The number makes it one release however often it is asked for.
    """
    context = context_of(request)
    with context.database.begin() as tx:
        hold = lock_hold(tx, read_hold(tx, caller.merchant_id, out_order_no).id)
        release, is_new = request_release(
            tx,
            context,
            hold,
            wanted.out_request_no,
            amount_of(wanted.amount, hold.amount.currency),
            remark=wanted.remark,
            operator_id=wanted.operator_id,
        )
        if is_new:
            note(tx, context, caller.actor, "hold.release_asked", hold, release.amount)
    return ReleaseOut.of(release)


def render(tx: Tx, hold: Hold) -> HoldOut:
    """``hold`` for the API."""
    captures: list[CaptureOut] = []
    for order in captures_of(tx, hold):
        charge = charge_of_order(tx, order.id)
        code = None if charge is None else charge.last_code
        text = None if charge is None else charge.last_message
        captures.append(CaptureOut.of(order, code, text))
    return HoldOut.of(hold, balance(tx, hold), captures, store.list_releases(tx, hold.id))


def _shown(context: Context, caller: Caller, out_order_no: str) -> HoldOut:
    with context.database.read() as tx:
        return render(tx, read_hold(tx, caller.merchant_id, out_order_no))


def _decided(response: Response, shown: HoldOut) -> HoldOut:
    if shown.status in ("created", "waiting", "closing"):
        response.status_code = ACCEPTED
    return shown


def _work_of(request: Request) -> HoldWork:
    return cast("HoldWork", request.app.state.holds)
