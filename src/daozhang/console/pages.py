"""Pages: what stands before each of them. Who is it, may they see this, did the form come from us."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from daozhang.console.forgery import FIELD, HEADER, require_ours
from daozhang.console.live import standing_of
from daozhang.console.sessions import Known, recognise
from daozhang.console.uploads import read_upload
from daozhang.console.visits import MERCHANT_COOKIE, Visit, read_form
from daozhang.service.merchants.model import Merchant
from daozhang.service.merchants.store import list_merchants
from daozhang.service.people.model import Person, Right
from daozhang.service.people.refusals import MerchantNotYours
from daozhang.service.people.rights import require
from daozhang.service.people.rules import needs_second_factor
from daozhang.service.settings import AllowedEnvironment
from daozhang.service.web.context import Context, context_of
from daozhang.service.web.pagination import ROW_NUMBER_MAX

SIGN_IN: Final = "/sign_in"
SECURITY: Final = "/security"

Handler = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def page(
    right: Right | None, room: str, *, owes_factor: bool = False, file_bytes_max: int | None = None
) -> Callable[[Handler], Endpoint]:
    """Makes a handler a page of ``room`` for whoever is signed in and has ``right``.

    The handler runs in a thread, with no transaction open. ``right`` is what it takes to look; an
    action asks for its own again. Who moves money or holds keys and has no second factor yet sees
    only pages with ``owes_factor``, where one is set up; where no money is real, all. A form with a
    file is taken where ``file_bytes_max`` says how large it may be; of nobody else a byte is read.
    """

    def wrap(handler: Handler) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            context = context_of(request)
            if file_bytes_max is None or request.method != "POST":
                form = await read_form(request, context.settings.api_body_bytes_max)
                return await run_in_threadpool(serve, request, form)
            visit = await run_in_threadpool(_admit, request, {}, right, room, owes_factor)
            if isinstance(visit, Response):
                return visit
            async with read_upload(request, file_bytes_max) as (form, upload):
                sent = replace(visit, form=form, upload=upload)
                return await run_in_threadpool(_serve, sent, handler)

        def serve(request: Request, form: Mapping[str, str]) -> Response:
            visit = _admit(request, form, right, room, owes_factor)
            return visit if isinstance(visit, Response) else _serve(visit, handler)

        return endpoint

    return wrap


def _admit(
    request: Request, form: Mapping[str, str], right: Right | None, room: str, owes_factor: bool
) -> Visit | Response:
    """The visit of somebody who may be here, or where they have to go before."""
    context = context_of(request)
    known = recognise(request, context)
    if known is None:
        return _to_sign_in(request)
    if any(isinstance(n, int) and n > ROW_NUMBER_MAX for n in request.path_params.values()):
        raise HTTPException(404)  # no database counts so far: there is no such row
    visit = open_visit(request, context, form, known, room)
    request.state.visit = visit
    if not owes_factor and _lacks_factor(context, known.person):
        return RedirectResponse(f"{visit.base}{SECURITY}", 303)
    if right is not None:
        require(visit.who, right, None if visit.chosen is None else visit.chosen.id)
    return visit


def _serve(visit: Visit, handler: Handler) -> Response:
    request = visit.request
    if request.method == "POST":
        sent = visit.form.get(FIELD) or request.headers.get(HEADER, "")
        require_ours(request, visit.own_session.csrf, sent)
    response = handler(visit)
    if visit.chosen is not None and request.method == "GET" and not visit.is_htmx:
        response.set_cookie(
            MERCHANT_COOKIE,
            visit.chosen.slug,
            path=visit.base or "/",
            samesite="lax",
            httponly=True,
        )
    return response


def open_visit(
    request: Request, context: Context, form: Mapping[str, str], known: Known, room: str
) -> Visit:
    """The visit of somebody known; raises `MerchantNotYours`."""
    with context.database.read() as tx:
        every = list_merchants(tx)
    merchants = tuple(one for one in every if known.person.covers(one.id))
    slug = request.path_params.get("merchant")
    chosen = None if slug is None else _named(merchants, slug)
    visit = Visit(request, context, form, known.person, known.session, merchants, chosen, room)
    if chosen is None or visit.is_htmx:
        return visit
    with context.database.read() as tx:
        return replace(visit, standing=standing_of(tx, chosen.id))


def _named(merchants: tuple[Merchant, ...], slug: str) -> Merchant:
    for merchant in merchants:
        if merchant.slug == slug:
            return merchant
    raise MerchantNotYours


def _lacks_factor(context: Context, person: Person) -> bool:
    has_one = person.has_totp or person.passkeys > 0
    return not has_one and needs_second_factor(person.roles) and not is_play(context)


def is_play(context: Context) -> bool:
    """Whether no money here is real: nothing but the emulator is allowed."""
    return {*context.settings.environments} == {AllowedEnvironment.EMULATOR}


def _to_sign_in(request: Request) -> Response:
    base = request.scope.get("root_path", "")
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    address = f"{base}{SIGN_IN}" + (f"?next={quote(wanted)}" if request.method == "GET" else "")
    if request.headers.get("hx-request") == "true":
        # A part of a page cannot be a sign-in: the whole page goes there.
        return Response(status_code=204, headers={"HX-Redirect": f"{base}{SIGN_IN}"})
    return RedirectResponse(address, 303)
