"""The pages that strangers see: password, code, passkey, invitation."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from daozhang.console.forgery import FIELD, HEADER, require_ours
from daozhang.console.pages import SIGN_IN, is_play
from daozhang.console.rendering import respond
from daozhang.console.sessions import (
    cookie_name,
    drop_session,
    recognise,
    set_secret,
    set_session,
)
from daozhang.console.start import keep, own_path
from daozhang.console.visits import LANGUAGE_COOKIE, Visit, read_form
from daozhang.service.ids import random_token
from daozhang.service.people.actions import accept_invitation, read_invitation
from daozhang.service.people.factors import begin_passkey_sign_in, sign_in_with_passkey
from daozhang.service.people.model import Language, SignedIn, SignInStep
from daozhang.service.people.refusals import (
    CodeRefused,
    PasswordRefused,
    SessionEnded,
    SignInLocked,
    SignInRefused,
)
from daozhang.service.people.rules import PASSWORD_CHARACTERS_MIN
from daozhang.service.people.signing_in import give_second_factor, sign_in
from daozhang.service.web.context import Context, context_of

STRANGER: Final = "visit"
CODE: Final = f"{SIGN_IN}/code"


def door(handler: Callable[[Visit], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Makes a handler a page for strangers. Their forms are proven by a cookie of their own."""

    def serve(request: Request, context: Context, form: Mapping[str, str]) -> Response:
        known = request.cookies.get(cookie_name(context, STRANGER), "")
        visit = Visit(request, context, form, stranger=known or random_token())
        if request.method == "POST":
            sent = form.get(FIELD) or request.headers.get(HEADER, "")
            require_ours(request, known or random_token(), sent)
        response = handler(visit)
        if not known:
            set_secret(response, context, STRANGER, visit.stranger)
        return response

    async def endpoint(request: Request) -> Response:
        context = context_of(request)
        form = await read_form(request, context.settings.api_body_bytes_max)
        return await run_in_threadpool(serve, request, context, form)

    return endpoint


@door
def sign_in_page(visit: Visit) -> Response:
    """Email and password; whoever is signed in already goes on."""
    if visit.request.method == "GET":
        if recognise(visit.request, visit.context) is not None:
            return RedirectResponse(_next(visit), 303)
        return respond(visit, "doors/sign_in.html", email="", error=None, next=_next(visit))
    email = visit.form.get("email", "")[:254]
    try:
        signed_in = sign_in(
            visit.context,
            email=email,
            password=visit.form.get("password", ""),
            address=address_of(visit),
            agent=agent_of(visit),
        )
    except (SignInRefused, SignInLocked) as refusal:
        error = visit.says(refusal)
        return respond(
            visit, "doors/sign_in.html", refusal.status, email=email, error=error, next=_next(visit)
        )
    return enter(visit, signed_in)


@door
def code_page(visit: Visit) -> Response:
    """The code of an authenticator app, or one for recovery."""
    if visit.request.method == "GET":
        if recognise(visit.request, visit.context, SignInStep.SECOND_FACTOR) is None:
            return RedirectResponse(f"{visit.base}{SIGN_IN}", 303)
        return respond(visit, "doors/code.html", error=None, next=_next(visit))
    token = visit.request.cookies.get(cookie_name(visit.context), "")
    try:
        signed_in = give_second_factor(
            visit.context,
            token,
            visit.form.get("code", "")[:64],
            address=address_of(visit),
            agent=agent_of(visit),
        )
    except (CodeRefused, SignInLocked) as refusal:
        error = visit.says(refusal)
        return respond(visit, "doors/code.html", refusal.status, error=error, next=_next(visit))
    except SessionEnded:
        response = RedirectResponse(f"{visit.base}{SIGN_IN}", 303)
        drop_session(response, visit.context)
        return response
    return enter(visit, signed_in)


@door
def ask_passkey(visit: Visit) -> Response:
    """What the browser is to have signed."""
    return Response(begin_passkey_sign_in(visit.context), media_type="application/json")


@door
def take_passkey(visit: Visit) -> Response:
    """Signs in whoever holds the passkey; the script goes on to where the answer leads."""
    signed_in = sign_in_with_passkey(
        visit.context,
        passkey_answer(visit),
        address=address_of(visit),
        agent=agent_of(visit),
    )
    return enter(visit, signed_in)


@door
def invitation_page(visit: Visit) -> Response:
    """Who was invited chooses a password here, and is in."""
    token = visit.request.path_params["token"]
    person, _ = read_invitation(visit.context, token)
    error = None
    if visit.request.method == "POST":
        try:
            return enter(visit, _accept(visit, token, visit.form.get("password", "")))
        except PasswordRefused as refusal:
            error = visit.says(refusal)
    return respond(
        visit,
        "doors/invitation.html",
        200 if error is None else PasswordRefused.status,
        invited=person,
        error=error,
        characters_min=PASSWORD_CHARACTERS_MIN,
    )


@door
def welcome(visit: Visit) -> Response:
    """The demo's way in: a one-time address that signs in at once, with a password nobody knows.

    Only where there is no real money and nobody but this machine can come.
    """
    if not is_play(visit.context) or not _is_this_machine(visit):
        raise HTTPException(404)
    return enter(visit, _accept(visit, visit.request.path_params["token"], random_token()))


@door
def choose_language(visit: Visit) -> Response:
    """The language before one is known."""
    response = RedirectResponse(own_path(visit.form.get("next", ""), visit.base), 303)
    if (language := visit.form.get("language", "")) in tuple(Language):
        keep(response, visit, LANGUAGE_COOKIE, language)
    return response


def enter(visit: Visit, signed_in: SignedIn) -> Response:
    """Goes on with a new session: to the code that is still owed, or to where one wanted to go."""
    owes = signed_in.session.step is SignInStep.SECOND_FACTOR
    onward = _next(visit)
    address = f"{visit.base}{CODE}?{urlencode({'next': onward})}" if owes else onward
    response = RedirectResponse(address, 303)
    set_session(response, visit.context, signed_in.token)
    return response


def passkey_answer(visit: Visit) -> Mapping[str, Any]:
    """What the browser's passkey answered; raises `HTTPException` 400 if it is no object of JSON."""
    try:
        answer = json.loads(visit.form.get("answer", ""))
    except ValueError:
        raise HTTPException(400) from None
    if not isinstance(answer, dict):
        raise HTTPException(400)
    return answer  # pyright: ignore[reportUnknownVariableType] - the action looks at each part


def address_of(visit: Visit) -> str:
    """From where somebody asks."""
    client = visit.request.client
    return "" if client is None else client.host


def agent_of(visit: Visit) -> str:
    """With which browser."""
    return visit.request.headers.get("user-agent", "")


def _is_this_machine(visit: Visit) -> bool:
    host = urlsplit(visit.context.settings.public_url).hostname or ""
    return all(_is_loopback(one) for one in (address_of(visit), host))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _accept(visit: Visit, token: str, password: str) -> SignedIn:
    return accept_invitation(
        visit.context,
        token,
        password,
        language=visit.language,
        address=address_of(visit),
        agent=agent_of(visit),
    )


def _next(visit: Visit) -> str:
    wanted = visit.form.get("next") or visit.query.get("next", "")
    return own_path(wanted, visit.base)
