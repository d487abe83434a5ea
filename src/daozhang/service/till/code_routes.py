"""The code that a buyer scans, over HTTP: ask for one, and its picture."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.merchants.clients import clients_of
from daozhang.service.orders.actions import lock_numbered
from daozhang.service.orders.handing import sign_for, unpayable
from daozhang.service.orders.model import Way
from daozhang.service.orders.refusals import OrderNotPayable, WayDiffers
from daozhang.service.seal import TokenRefused
from daozhang.service.till.codes import MEDIA_TYPES, PictureKind, draw, make_code
from daozhang.service.till.refusals import PictureNotFound
from daozhang.service.web.answers import answer
from daozhang.service.web.context import context_of

router = APIRouter(tags=["till"])

CODE_PURPOSE: Final = "qr"
"""What the address of a picture is signed for."""

Writer = Annotated[Caller, Depends(caller_with("orders:write"))]


class QrCodeOut(BaseModel):
    """What the buyer scans."""

    object: str = "qr_code"
    out_trade_no: str
    qr_code: str = Field(description="The text of the code, should you draw it yourself.")
    svg_url: str = Field(description="The picture, for a page or a screen. No key is needed.")
    png_url: str
    expires_at: datetime = Field(description="Until when it can be paid: two hours at most.")


@router.post("/v1/orders/{out_trade_no}/qr_code", response_model=QrCodeOut, summary="Make a code")
def post_qr_code(request: Request, caller: Writer, out_trade_no: str) -> Response:
    """A code for an order with `way` `qr`, which the buyer scans. Nobody is charged by making one.

    While nobody has scanned it, Alipay has no such trade and the order stays `created`.
    """
    context = context_of(request)
    with context.database.begin() as tx:
        order = lock_numbered(tx, caller.merchant_id, out_trade_no)
        if order.way is not Way.QR:
            raise WayDiffers(order, Way.QR)
        if (problem := unpayable(order, context)) is not None:
            raise OrderNotPayable(order, problem)
        sign_for(tx, order, context)
    made = make_code(context, clients_of(request), order)
    token = context.sealer.sign_token(CODE_PURPOSE, {"text": made.text}, made.expires_at)
    picture = f"{context.settings.public_url}/qr/{token}"
    return answer(
        QrCodeOut(
            out_trade_no=order.out_trade_no,
            qr_code=made.text,
            svg_url=f"{picture}.svg",
            png_url=f"{picture}.png",
            expires_at=made.expires_at,
        )
    )


@router.get("/qr/{token}.{kind}", include_in_schema=False)
def get_picture(
    request: Request,
    token: str,
    kind: PictureKind,
    module: Annotated[int, Query(ge=1, le=32)] = 8,
) -> Response:
    """The picture of a code. Its address holds the code, signed by us: no other text is drawn."""
    context = context_of(request)
    try:
        held = context.sealer.read_token(CODE_PURPOSE, token, context.clock.now())
    except TokenRefused as refused:
        raise PictureNotFound(expired=refused.expired) from None
    return Response(
        draw(held["text"], kind, module),
        media_type=MEDIA_TYPES[kind],
        headers={
            "Cache-Control": "private, max-age=3600",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            "X-Content-Type-Options": "nosniff",
        },
    )
