"""What is one's own: devices, password, authenticator app, passkeys."""

from __future__ import annotations

import base64
from io import BytesIO
from urllib.parse import urlencode

import segno
from starlette.responses import RedirectResponse, Response

from daozhang.console.doors.entering import agent_of, passkey_answer
from daozhang.console.pages import SIGN_IN, page
from daozhang.console.rendering import respond
from daozhang.console.sessions import drop_session, set_session
from daozhang.console.start import own_path
from daozhang.console.visits import Visit
from daozhang.service.people import factors, sessions, signing_in
from daozhang.service.people.refusals import (
    CodeRefused,
    ConfirmationNeeded,
    PasswordRefused,
    SignInLocked,
    SignInRefused,
)
from daozhang.service.people.rules import PASSWORD_CHARACTERS_MIN
from daozhang.service.refusals import Refusal

ROOM = "doors"


@page(None, ROOM, owes_factor=True)
def sign_out(visit: Visit) -> Response:
    """Ends this session."""
    sessions.end_own_session(visit.context, visit.who, visit.own_session.id)
    response = RedirectResponse(f"{visit.base}{SIGN_IN}", 303)
    drop_session(response, visit.context)
    return response


@page(None, ROOM)
def devices_page(visit: Visit) -> Response:
    """Where one is signed in."""
    listed = sessions.list_own_sessions(visit.context, visit.who)
    return respond(visit, "doors/devices.html", sessions=listed)


@page(None, ROOM)
def end_device(visit: Visit) -> Response:
    """Signs out elsewhere."""
    sessions.end_own_session(visit.context, visit.who, visit.form.get("session", ""))
    return RedirectResponse(f"{visit.base}/devices", 303)


@page(None, ROOM, owes_factor=True)
def security_page(visit: Visit) -> Response:
    """How one signs in."""
    passkeys = factors.list_passkeys(visit.context, visit.who)
    return respond(visit, "doors/security.html", passkeys=passkeys, codes=None)


@page(None, ROOM, owes_factor=True)
def confirm_page(visit: Visit) -> Response:
    """Asks anew who one is; then goes on to what needed that."""
    onward = own_path(visit.form.get("next") or visit.query.get("next", ""), visit.base)
    error: Refusal | None = None
    if visit.request.method == "POST":
        try:
            if "answer" in visit.form:
                answer = passkey_answer(visit)
                factors.confirm_with_passkey(visit.context, visit.who, visit.own_session, answer)
            else:
                password = visit.form.get("password", "")
                signing_in.confirm_with_password(
                    visit.context, visit.who, visit.own_session, password
                )
        except (SignInRefused, SignInLocked) as refusal:
            error = refusal
        else:
            return RedirectResponse(onward, 303)
    says = None if error is None else visit.says(error)
    status = 200 if error is None else error.status
    return respond(visit, "doors/confirm.html", status, error=says, next=onward)


@page(None, ROOM)
def password_page(visit: Visit) -> Response:
    """A new password, for whoever knows the old one."""
    errors: dict[str, str] = {}
    if visit.request.method == "POST":
        try:
            changed = signing_in.change_password(
                visit.context,
                visit.who,
                visit.own_session,
                old=visit.form.get("old", ""),
                new=visit.form.get("new", ""),
                agent=agent_of(visit),
            )
        except (SignInRefused, SignInLocked) as refusal:
            errors["old"] = visit.says(refusal)
        except PasswordRefused as refusal:
            errors["new"] = visit.says(refusal)
        else:
            response = RedirectResponse(f"{visit.base}/security", 303)
            set_session(response, visit.context, changed.token)
            return response
    status = 422 if errors else 200
    return respond(
        visit, "doors/password.html", status, errors=errors, characters_min=PASSWORD_CHARACTERS_MIN
    )


@page(None, ROOM, owes_factor=True)
def app_page(visit: Visit) -> Response:
    """An authenticator app: its QR, and once its first code is right, the codes for recovery."""
    error = None
    if visit.request.method == "POST":
        try:
            codes = factors.finish_totp(
                visit.context, visit.who, visit.own_session, visit.form.get("code", "")[:16]
            )
        except CodeRefused as refusal:
            error = visit.says(refusal)
        except ConfirmationNeeded:
            return _confirm(visit, "/security/app")
        else:
            return respond(visit, "doors/codes.html", codes=codes)
    try:
        secret, address = factors.begin_totp(visit.context, visit.who, visit.own_session)
    except ConfirmationNeeded:
        return _confirm(visit, "/security/app")
    return respond(
        visit,
        "doors/app.html",
        200 if error is None else CodeRefused.status,
        secret=secret,
        picture=_picture(address),
        error=error,
    )


@page(None, ROOM)
def remove_app(visit: Visit) -> Response:
    """Takes the authenticator app away."""
    try:
        factors.remove_totp(visit.context, visit.who, visit.own_session)
    except ConfirmationNeeded:
        return _confirm(visit, "/security")
    return RedirectResponse(f"{visit.base}/security", 303)


@page(None, ROOM)
def renew_codes(visit: Visit) -> Response:
    """New codes for recovery, shown this once."""
    try:
        codes = factors.renew_recovery_codes(visit.context, visit.who, visit.own_session)
    except ConfirmationNeeded:
        return _confirm(visit, "/security")
    return respond(visit, "doors/codes.html", codes=codes)


@page(None, ROOM, owes_factor=True)
def ask_new_passkey(visit: Visit) -> Response:
    """What the browser is to make a passkey with."""
    options = factors.begin_passkey(visit.context, visit.who, visit.own_session)
    return Response(options, media_type="application/json")


@page(None, ROOM, owes_factor=True)
def take_new_passkey(visit: Visit) -> Response:
    """Takes a new passkey into use."""
    name = visit.form.get("name", "")
    answer = passkey_answer(visit)
    factors.finish_passkey(visit.context, visit.who, visit.own_session, answer, name)
    return RedirectResponse(f"{visit.base}/security", 303)


@page(None, ROOM)
def remove_own_passkey(visit: Visit) -> Response:
    """Takes one of one's own passkeys away."""
    number = visit.form.get("passkey", "")
    try:
        if number.isdecimal():
            factors.remove_passkey(visit.context, visit.who, visit.own_session, int(number))
    except ConfirmationNeeded:
        return _confirm(visit, "/security")
    return RedirectResponse(f"{visit.base}/security", 303)


def _confirm(visit: Visit, onward: str) -> Response:
    query = urlencode({"next": f"{visit.base}{onward}"})
    return RedirectResponse(f"{visit.base}/security/confirm?{query}", 303)


def _picture(text: str) -> str:
    """A QR as the address of its own picture."""
    png = BytesIO()
    segno.make(text, error="m").save(png, kind="png", scale=6, border=1)
    return f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
