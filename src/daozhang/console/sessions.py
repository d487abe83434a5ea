"""Sessions in cookies: whose request it is."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from daozhang.service.people.model import Person, Session, SignInStep
from daozhang.service.people.refusals import SessionEnded
from daozhang.service.people.sessions import open_session
from daozhang.service.web.context import Context


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody whose session is live."""

    person: Person
    session: Session


def cookie_name(context: Context, purpose: str = "session") -> str:
    """The cookie's name. Where there is TLS, a name that only this host can set, for all its paths."""
    plain = f"daozhang_{purpose}"
    return f"__Host-{plain}" if is_secure(context) else plain


def is_secure(context: Context) -> bool:
    """Whether people reach us by TLS."""
    return context.settings.public_url.startswith("https://")


def recognise(
    request: Request, context: Context, step: SignInStep = SignInStep.SIGNED_IN
) -> Known | None:
    """Who asks; ``None`` if nobody is signed in, or not yet so far."""
    token = request.cookies.get(cookie_name(context), "")
    try:
        return Known(*open_session(context, token, step=step))
    except SessionEnded:
        return None


def set_session(response: Response, context: Context, token: str) -> None:
    """Lets the browser keep ``token``, until it is closed or the session ends."""
    set_secret(response, context, "session", token)


def set_secret(response: Response, context: Context, purpose: str, value: str) -> None:
    """A cookie that no script reads and no other site's form sends along."""
    # Lax, not Strict: who follows a link from a chat to an order is signed in there. What changes
    # something proves by its own token that it comes from a page of ours.
    response.set_cookie(
        cookie_name(context, purpose),
        value,
        path="/",
        secure=is_secure(context),
        httponly=True,
        samesite="lax",
    )


def drop_session(response: Response, context: Context) -> None:
    """Lets the browser forget it."""
    response.delete_cookie(
        cookie_name(context), path="/", secure=is_secure(context), httponly=True, samesite="lax"
    )
