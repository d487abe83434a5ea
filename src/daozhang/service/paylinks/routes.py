"""The public address of a pay link: look, press the button, and see it turn paid."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from daozhang.service.ids import random_token
from daozhang.service.orders.handing import unpayable
from daozhang.service.orders.model import Order, Way
from daozhang.service.orders.routes import render
from daozhang.service.paylinks.actions import begin_to_pay, link_address, look_at
from daozhang.service.paylinks.model import PayLink, Standing
from daozhang.service.paylinks.pages import Reader, leading_page, link_page
from daozhang.service.paylinks.refusals import AmountNotTaken, PayLinkInvalid, TooManyOpen
from daozhang.service.till.codes import MEDIA_TYPES, PictureKind, draw
from daozhang.service.web.context import context_of
from daozhang.service.web.pages import page_response, problem_page
from daozhang.service.web.problem import AmountInvalid, amount_of

router = APIRouter(prefix="/pay/link", include_in_schema=False)

FORM_FIELDS_MAX = 20
FORM_BYTES_MAX = 8 * 1024


async def _form_of(request: Request) -> dict[str, str]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES_MAX:  # anybody can post here
            raise HTTPException(413)
    text = body.decode("utf-8", "replace")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX))
    except ValueError:
        raise HTTPException(400) from None


@router.get("/{token}")
def look(request: Request, token: str) -> Response:
    """What is to be paid, and to whom. Looking makes no order."""
    return _show(request, token)


@router.post("/{token}")
def pay(
    request: Request, token: str, form: Annotated[dict[str, str], Depends(_form_of)]
) -> Response:
    """Makes the order, or finds the one that this form has made, and leads to Alipay."""
    context = context_of(request)
    found = look_at(context, token)
    if found is None:
        return page_response(problem_page("link_invalid"), 404)
    in_hand, merchant = found
    link = in_hand.link
    typed = form.get("amount", "").strip()
    way = Way.WAP if _reader(request).on_phone else Way.PAGE
    try:
        amount = link.amount or amount_of(typed, _currency(link))
        got = begin_to_pay(
            context, token, form_key=form.get("form_key", ""), amount=amount, way=way
        )
    except (AmountInvalid, AmountNotTaken, PayLinkInvalid, TooManyOpen) as refusal:
        says = (refusal.detail_zh, str(refusal))
        return _show(request, token, typed=typed, says=says, status=refusal.status)
    if isinstance(got, Standing):
        return _show(request, token, status=410)
    if (problem := unpayable(got, context)) is not None:
        return page_response(problem_page(problem, continue_url=link_address(context, link)), 410)
    return page_response(leading_page(_pay_url(request, got, merchant.slug), merchant.environment))


def _pay_url(request: Request, order: Order, slug: str) -> str:
    """Where the order is signed at the click, as for any other (`orders.paying`)."""
    address = render(context_of(request), order, slug).pay_url
    assert address is not None, "a payable order of a browser's way has an address"
    return address


@router.get("/{token}/state")
def tell_state(request: Request, token: str) -> Response:
    """Where the link stands, for its own page, which asks now and then."""
    found = look_at(context_of(request), token)
    if found is None:
        raise HTTPException(404)
    content: dict[str, Any] = {"state": found[0].standing.value}
    return JSONResponse(content, headers={"Cache-Control": "no-store"})


@router.get("/{token}/qr.{kind}")
def get_picture(
    request: Request,
    token: str,
    kind: PictureKind,
    module: Annotated[int, Query(ge=1, le=32)] = 8,
) -> Response:
    """The link's address as a QR code, to be shown or printed."""
    context = context_of(request)
    found = look_at(context, token)
    if found is None:
        raise HTTPException(404)
    drawn = draw(link_address(context, found[0].link), kind, module)
    return Response(
        drawn,
        media_type=MEDIA_TYPES[kind],
        headers={
            "Cache-Control": "private, max-age=3600",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _show(
    request: Request,
    token: str,
    *,
    typed: str = "",
    says: tuple[str, str] | None = None,
    status: int = 200,
) -> Response:
    found = look_at(context_of(request), token)
    if found is None:
        return page_response(problem_page("link_invalid"), 404)
    in_hand, merchant = found
    shown = link_page(
        in_hand.link,
        in_hand.standing,
        merchant,
        _reader(request),
        form_key=random_token(),
        typed=typed,
        says=says,
    )
    over = status == 200 and in_hand.standing in (Standing.EXPIRED, Standing.CLOSED)
    return page_response(shown, 410 if over else status, has_form=True)


def _reader(request: Request) -> Reader:
    return Reader.of(request.headers.get("user-agent", ""))


def _currency(link: PayLink) -> str:
    assert link.least is not None
    return link.least.currency
